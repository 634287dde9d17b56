//! A model file, and how it becomes a [`Policy`] with a source for each value.

use super::check::{NAME_PATTERN, check_name};
use crate::input::{self, Diagnostic, Place, Source, parse, quoted};
use crate::policy::{IdentityKind, IdentityReplacedBy, OnChange, Policy, Recipients, VerificationTravels};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema, schema_for};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// The value that an axis has where it does not apply.
const UNUSED: &str = "unused";
/// What a source says of what was not read.
const UNVERIFIED: &str = "unverified:";
/// What depends on there being an identity.
const OF_IDENTITY: [&str; 4] = ["change-unverified", "change-verified", "first-identity", "identity-replaced-by"];

/// A trust model, with the source of each of its values.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ModelFile {
    /// Where the schema of this file is.
    #[serde(rename = "$schema")]
    pub schema: Option<String>,
    /// The format of this file: 1.
    #[schemars(extend("const" = 1))]
    pub format: u32,
    /// The name by which commands and reports call the model.
    #[schemars(extend("pattern" = NAME_PATTERN))]
    pub name: String,
    /// A short title.
    pub title: String,
    /// One paragraph: whose behaviour this is, at which version, what is left out.
    pub about: String,
    /// The model of which this is a version: it is tried in scenarios that name it, and where it is asked for by name.
    pub variant_of: Option<String>,
    /// Every axis with its value and where that was read.
    #[schemars(schema_with = "axes_schema")]
    #[serde(deserialize_with = "input::object_map")]
    pub axes: BTreeMap<String, AxisChoice>,
}

/// A value on an axis, with the original source that it was read in.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct AxisChoice {
    /// One of the axis' values.
    pub value: String,
    /// The original source; absent where the axis is unused.
    pub source: Option<String>,
}

/// A model file that was checked.
#[derive(Clone, Debug)]
pub struct Model {
    /// The name by which commands and reports call the model.
    pub name: String,
    /// A short title.
    pub title: String,
    /// Whose behaviour this is, at which version, what is left out.
    pub about: String,
    /// The model of which this is a version, if it is one.
    pub variant_of: Option<String>,
    /// One value for each axis.
    pub policy: Policy,
    /// The original source of every axis' value, in the order of the axes; unused axes have none.
    pub sources: Vec<(String, String)>,
    /// The file that it was read from.
    pub file: Source,
}

/// Wherever their files are.
impl PartialEq for Model {
    fn eq(&self, other: &Self) -> bool {
        self.file.text == other.file.text
    }
}
impl Eq for Model {}

impl Model {
    /// The original source of the value on `axis`; none where the axis is unused.
    pub fn source(&self, axis: &str) -> Option<&str> {
        self.sources.iter().find(|(of, _)| of == axis).map(|(_, source)| source.as_str())
    }

    /// How many values rest on something that nobody read: their source says `unverified:`.
    pub fn unverified(&self) -> usize {
        self.sources.iter().filter(|(_, source)| source.contains(UNVERIFIED)).count()
    }

    /// The model's name, marked if some value of it is unverified.
    pub fn marked_name(&self) -> String {
        if self.unverified() == 0 { self.name.clone() } else { format!("{}†", self.name) }
    }
}

/// The axes of a policy with their values, in the order of declaration.
pub fn axes(policy: &Policy) -> Vec<(String, String)> {
    let Ok(Value::Object(axes)) = serde_json::to_value(policy) else { panic!("a policy is a map of axes") };
    let text = |value: Value| value.as_str().expect("an axis value is a name").to_owned();
    axes.into_iter().map(|(axis, value)| (axis, text(value))).collect()
}

/// All axes with all their values, in the order of declaration.
pub fn axis_values() -> Vec<(String, Vec<String>)> {
    // Making a schema takes longer than all else that reading a model does.
    static ALL: LazyLock<Vec<(String, Vec<String>)>> = LazyLock::new(|| {
        let schema = schema_for!(Policy).to_value();
        let axes = schema["properties"].as_object().expect("a policy has axes");
        axes.iter().map(|(axis, at)| (axis.clone(), values_at(&schema, at))).collect()
    });
    ALL.clone()
}

/// The values of one axis in the policy's schema.
fn values_at(schema: &Value, at: &Value) -> Vec<String> {
    let pointer = at["$ref"].as_str().and_then(|r| r.strip_prefix('#')).expect("an axis refers to its enum");
    let choices = schema.pointer(pointer).and_then(|axis| axis["oneOf"].as_array()).expect("an axis has choices");
    let text = |choice: &Value| choice["const"].as_str().expect("a choice is a name").to_owned();
    choices.iter().map(text).collect()
}

/// The schema of a model's axes: all of them, each with its values.
fn axes_schema(generator: &mut SchemaGenerator) -> Schema {
    let choice = generator.subschema_for::<AxisChoice>();
    let all = axis_values();
    let names: Vec<&String> = all.iter().map(|(axis, _)| axis).collect();
    let one = |values: &Vec<String>| json_schema!({ "allOf": [choice], "properties": { "value": { "enum": values } } });
    let properties: Map<String, Value> = all.iter().map(|(axis, values)| (axis.clone(), one(values).into())).collect();
    json_schema!({
        "type": "object", "properties": properties, "required": names, "additionalProperties": false
    })
}

/// The schema of a claim's axis values: any axes, each with one of its values or several.
pub fn where_schema(_: &mut SchemaGenerator) -> Schema {
    let one = |values: &Vec<String>| {
        let value = json_schema!({ "enum": values });
        json_schema!({ "anyOf": [value, { "type": "array", "items": value, "minItems": 1 }] })
    };
    let properties: Map<String, Value> =
        axis_values().iter().map(|(axis, values)| (axis.clone(), one(values).into())).collect();
    json_schema!({ "type": "object", "properties": properties, "additionalProperties": false })
}

/// Reads and checks a model file.
pub fn read_model(source: &Source) -> Result<Model, Box<Diagnostic>> {
    let file: ModelFile = parse(source)?;
    check_name(source, &Place::root().key("name"), &file.name)?;
    let place = Place::root().key("axes");
    let all = axis_values();
    for (axis, choice) in &file.axes {
        check_value(source, &place, &all, axis, (&choice.value, place.key(axis).key("value")))?;
    }
    let mut values = Map::new();
    let mut sources = Vec::new();
    for (axis, _) in &all {
        let missing = || source.error("E140", source.at(&place), format!("{place} lacks the axis {}", quoted(axis)));
        let choice = file.axes.get(axis).ok_or_else(missing)?;
        values.insert(axis.clone(), choice.value.clone().into());
        sources.extend(check_source(source, &place.key(axis), choice)?.map(|text| (axis.clone(), text)));
    }
    let policy: Policy = serde_json::from_value(values.into()).expect("every axis has one of its values");
    check_unused(source, &place, &policy)?;
    let ModelFile { name, title, about, variant_of, .. } = file;
    Ok(Model { name, title, about, variant_of, policy, sources, file: source.clone() })
}

/// `axis` exists and has `value`, which stands at `at`; `place` is the object whose key the axis is.
pub fn check_value(
    source: &Source,
    place: &Place,
    all: &[(String, Vec<String>)],
    axis: &str,
    (value, at): (&str, Place),
) -> Result<(), Box<Diagnostic>> {
    let Some((_, valid)) = all.iter().find(|(name, _)| name == axis) else {
        let names: Vec<&String> = all.iter().map(|(name, _)| name).collect();
        let message = format!("{} is not an axis", quoted(axis));
        return Err(source.error("E115", source.key_at(&place.key(axis)), message).known(axis, &names));
    };
    if valid.iter().any(|name| name == value) {
        return Ok(());
    }
    let message = format!("{} is not a value of the axis {}", quoted(value), quoted(axis));
    Err(source.error("E116", source.at(&at), message).known(value, valid))
}

/// A value has a source unless it is `unused`.
fn check_source(source: &Source, place: &Place, choice: &AxisChoice) -> Result<Option<String>, Box<Diagnostic>> {
    match choice.source.as_deref().map(str::trim) {
        None | Some("") if choice.value == UNUSED => Ok(None),
        None | Some("") => {
            let message = format!("{place} has no source");
            let help = "name the paper, specification section or file at a commit in which the value was read";
            Err(source.error("E143", source.at(&place.key("value")), message).help(help))
        }
        Some(_) if choice.value == UNUSED => {
            let message = format!("{place} is `{UNUSED}`, so it has no source");
            Err(source.error("E144", source.key_at(&place.key("source")), message))
        }
        Some(text) => Ok(Some(text.to_owned())),
    }
}

/// An axis is `unused` exactly where another leaves it nothing to decide.
fn check_unused(source: &Source, place: &Place, policy: &Policy) -> Result<(), Box<Diagnostic>> {
    let chosen = axes(policy);
    let value = |axis: &str| &chosen.iter().find(|(name, _)| name == axis).expect("an axis").1;
    let identity = format!("`identity` is `{}`", value("identity"));
    let check = |axis: &str, idle: bool, because: &str| match (value(axis) == UNUSED, idle) {
        (true, false) => Err(("E142", axis.to_owned(), format!("cannot be `{UNUSED}`: {because}"))),
        (false, true) => Err(("E141", axis.to_owned(), format!("must be `{UNUSED}`: {because}"))),
        _ => Ok(()),
    };
    let only_verified = policy.recipients == Recipients::Verified;
    let of_devices = match (policy.has_identity(), only_verified) {
        (true, _) => identity.clone(),
        (false, _) => format!("{identity} and `recipients` is `{}`", value("recipients")),
    };
    let signs = policy.identity == IdentityKind::SignsDevices;
    let of_unsigned = format!("{identity} and `recipients` is `{}`", value("recipients"));
    let lets = |c: &OnChange| matches!(c, OnChange::Accept | OnChange::Notify);
    let stops = ![policy.change_unverified, policy.change_verified].iter().all(lets);
    let replaced = policy.identity_replaced_by == IdentityReplacedBy::Password;
    let no_password = policy.joins_by_approval() && !replaced;
    let of_joining = format!(
        "`joining` is `{}`, and the password {}",
        value("joining"),
        if replaced { "replaces an identity" } else { "opens nothing" }
    );
    let signature = policy.verification_travels == VerificationTravels::OwnIdentity;
    let of_travel = format!("`verification-travels` is `{}`", value("verification-travels"));
    let of_changes = match policy.has_identity() {
        true => format!("changes {}", if stops { "stop keys" } else { "stop nothing" }),
        false => identity.clone(),
    };
    OF_IDENTITY
        .iter()
        .try_for_each(|axis| check(axis, !policy.has_identity(), &identity))
        .and_then(|()| check("block-scope", !policy.has_identity() || !stops, &of_changes))
        .and_then(|()| check("unsigned-device", !signs || policy.recipients != Recipients::Listed, &of_unsigned))
        .and_then(|()| check("own-change", !signs, &identity))
        .and_then(|()| check("ceremony-binds", !signs, &identity))
        .and_then(|()| check("own-in-chain", !signature, &of_travel))
        .and_then(|()| check("login-proof", no_password, &of_joining))
        .and_then(|()| check("sender-identity", policy.identity != IdentityKind::SignsDevices, &identity))
        .and_then(|()| check("new-device", policy.has_identity() || only_verified, &of_devices))
        .map_err(|(code, axis, says)| {
            let at = source.at(&place.key(&axis).key("value"));
            source.error(code, at, format!("{} {says}", quoted(&axis)))
        })
}
