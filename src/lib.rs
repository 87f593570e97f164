#[cfg(target_arch = "wasm32")]
mod browser;
pub mod core;
