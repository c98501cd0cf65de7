//! What connections cost, and that a crowd of them takes nothing from those who ask for something.

mod crowds;
mod resources;
