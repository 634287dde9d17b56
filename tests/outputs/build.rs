//! Tells the tests for which platform they are built.

fn main() {
    println!("cargo:rustc-env=TARGET={}", std::env::var("TARGET").expect("cargo says so"));
    println!("cargo:rerun-if-changed=build.rs");
}
