//! What goes in comes out: whatever its shape and size, compressed or not, in any number.

mod compression;
mod frames;
mod integrity;
