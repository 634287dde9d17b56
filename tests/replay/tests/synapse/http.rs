//! The client-server API over plain HTTP: one call per request type, and what the server refuses.

use overhear_real::failure::{Failure, Res};
use ruma::OwnedUserId;
use ruma::api::auth_scheme::{AuthScheme, SendAccessToken};
use ruma::api::client::uiaa::{AuthData, Password};
use ruma::api::path_builder::PathBuilder;
use ruma::api::{IncomingResponse, MatrixVersion, OutgoingRequest, SupportedVersions};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;
use ureq::Agent;

/// A server's answer that is no success.
#[derive(Debug)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// The answer's body.
    pub body: Value,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A first call that asks for a password carries no error code.
        write!(f, "{} {}", self.status, self.body["errcode"].as_str().unwrap_or("asks for the password"))
    }
}

/// What the server says: yes with an answer, or no.
pub type Said<T> = Result<T, Refusal>;

/// The address of a homeserver.
#[derive(Clone)]
pub struct Homeserver {
    url: String,
    agent: Agent,
}

impl Homeserver {
    /// The homeserver at `url`.
    pub fn new(url: String) -> Self {
        let config = Agent::config_builder().http_status_as_error(false).proxy(None);
        Self { url, agent: config.timeout_global(Some(Duration::from_secs(60))).build().into() }
    }
    /// Sends `request`, with a session's token if there is one.
    pub fn call<R>(&self, token: Option<&str>, request: R) -> Res<Said<R::IncomingResponse>>
    where
        R: OutgoingRequest,
        for<'a> R::Authentication: AuthScheme<Input<'a> = SendAccessToken<'a>>,
        for<'a> R::PathBuilder: PathBuilder<Input<'a> = Cow<'a, SupportedVersions>>,
    {
        let versions = SupportedVersions { versions: [MatrixVersion::V1_11].into(), features: BTreeSet::new() };
        let token = token.map_or(SendAccessToken::None, SendAccessToken::IfRequired);
        let request = request.try_into_http_request::<Vec<u8>>(&self.url, token, Cow::Owned(versions))?;
        let (head, mut body) = self.agent.run(request)?.into_parts();
        let body = body.read_to_vec()?;
        if !head.status.is_success() {
            return Ok(Err(Refusal { status: head.status.as_u16(), body: serde_json::from_slice(&body)? }));
        }
        let answer = R::IncomingResponse::try_from_http_response(ureq::http::Response::from_parts(head, body));
        answer.map(Ok).map_err(|e| Failure::Broken(format!("an answer that nobody can read: {e}")))
    }
    /// Sends `request`, and once more with `password` as its `proof` if the server asks who it is (user-interactive
    /// authentication).
    pub fn call_as<R>(
        &self,
        token: &str,
        (user, password): (&OwnedUserId, Option<&str>),
        mut request: R,
        proof: impl Fn(&mut R) -> &mut Option<AuthData>,
    ) -> Res<Said<R::IncomingResponse>>
    where
        R: OutgoingRequest,
        for<'a> R::Authentication: AuthScheme<Input<'a> = SendAccessToken<'a>>,
        for<'a> R::PathBuilder: PathBuilder<Input<'a> = Cow<'a, SupportedVersions>>,
    {
        let first = self.call(Some(token), request.clone())?;
        let (Err(refusal), Some(password)) = (&first, password) else { return Ok(first) };
        let Some(session) = refusal.body["session"].as_str() else { return Ok(first) };
        let mut known = Password::new(user.into(), password.to_string());
        known.session = Some(session.to_string());
        *proof(&mut request) = Some(AuthData::Password(known));
        self.call(Some(token), request)
    }
}
