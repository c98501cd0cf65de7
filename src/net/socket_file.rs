//! The file of a Unix socket that is listened on: bound with its permissions, told apart from another process's file of
//! the same name, and removed at the end.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use socket2::{Domain, SockAddr, Socket, Type};
use tokio::net::UnixListener;

/// Connections that the system keeps until they are accepted.
pub(crate) const BACKLOG: i32 = 4096;

/// Distinguishes a file from all others that exist at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    /// Of what has this name itself, not of what a link points to.
    fn of(path: &Path) -> io::Result<Identity> {
        let file = fs::symlink_metadata(path)?;
        Ok(Identity {
            device: file.dev(),
            inode: file.ino(),
        })
    }
}

/// A socket's file, which this process has made.
#[derive(Clone, Debug)]
pub(crate) struct SocketFile {
    path: PathBuf,
    identity: Identity,
    /// The permissions that the umask has left.
    default_mode: u32,
}

impl SocketFile {
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Changes who may connect; none: what the umask left.
    ///
    /// # Errors
    /// The system refuses, or the file is another one by now.
    pub(crate) fn set_mode(&self, mode: Option<u32>) -> io::Result<()> {
        if !self.is_ours() {
            let what = "the socket's file was removed or replaced meanwhile";
            return Err(io::Error::new(io::ErrorKind::NotFound, what));
        }
        let mode = mode.unwrap_or(self.default_mode);
        fs::set_permissions(&self.path, fs::Permissions::from_mode(mode))
    }

    /// Whether the name still leads to the socket that this process has bound. As long as that socket is open, its
    /// inode's number is given to no other file.
    fn is_ours(&self) -> bool {
        Identity::of(&self.path).is_ok_and(|identity| identity == self.identity)
    }
}

/// Removes the file at the end, if it is still this process's: another one may have the name already. To be dropped
/// before the socket, so that no client finds a file without a listener, and no other process takes it for a dead one.
#[derive(Debug)]
pub struct RemovedAtEnd(pub(crate) SocketFile);

impl Drop for RemovedAtEnd {
    fn drop(&mut self) {
        if self.0.is_ours() {
            // Gone already is as good as removed.
            let _ = fs::remove_file(&self.0.path);
        }
    }
}

/// Binds and listens. No client can connect before the permissions are set, because the system refuses until `listen`.
pub(crate) fn bind(path: &Path, mode: Option<u32>) -> io::Result<(RemovedAtEnd, UnixListener)> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    let address = SockAddr::unix(path)?;
    match socket.bind(&address) {
        // The file outlives a process that was killed.
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && remove_dead(path)? => {
            socket.bind(&address)?;
        }
        bound => bound?,
    }
    let file = RemovedAtEnd(SocketFile {
        path: path.to_owned(),
        identity: Identity::of(path)?,
        default_mode: fs::symlink_metadata(path)?.permissions().mode() & 0o777,
    });
    if mode.is_some() {
        file.0.set_mode(mode)?;
    }
    socket.listen(BACKLOG)?;
    if !file.0.is_ours() {
        // Another process that started at the same moment took the file for a dead one, before there was `listen`.
        return Err(io::ErrorKind::AddrInUse.into());
    }
    let listener = UnixListener::from_std(socket.into())?;
    Ok((file, listener))
}

/// Removes the file of a socket without a listener; false if it is no such file.
fn remove_dead(path: &Path) -> io::Result<bool> {
    let identity = Identity::of(path)?;
    if !is_dead(path)? || Identity::of(path)? != identity {
        return Ok(false);
    }
    fs::remove_file(path)?;
    Ok(true)
}

fn is_dead(path: &Path) -> io::Result<bool> {
    if !is_socket(path) {
        return Ok(false);
    }
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    // One whose process is too busy to accept would be waited for.
    socket.set_nonblocking(true)?;
    let connected = socket.connect(&SockAddr::unix(path)?);
    Ok(connected.is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused))
}

/// Whether there is a socket, and no link to one.
pub(crate) fn is_socket(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|file| file.file_type().is_socket())
}

#[cfg(test)]
mod tests;
