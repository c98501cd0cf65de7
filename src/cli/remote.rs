//! The admin API of a running sidecar, asked from outside: where it is, and with which token.

mod address;
mod client;
#[cfg(test)]
mod tests;

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

use hyper::header::HeaderValue;

use super::{ConfigFile, print_error};
use crate::config::{self, LoadError};
use address::{Address, Unreachable};
pub(super) use client::{AskError, Events, PATIENCE, Remote};

/// How `drain` and `top` find the sidecar.
#[derive(Debug, clap::Args)]
pub(super) struct Whereabouts {
    /// Where its admin API is: http://host:port or unix:/path [default: $SIDEBEAT_ADMIN, or else
    /// `admin.listen` of the configuration file, or else http://127.0.0.1:9901]
    #[arg(long, value_name = "URL", value_parser = address::read)]
    admin: Option<Address>,
    /// Its token; $SIDEBEAT_TOKEN is better, because everybody on the machine can read a command line [default:
    /// $SIDEBEAT_TOKEN, or else `admin.token` of the configuration file, if that says where it is or -c names it]
    #[arg(long, value_parser = token)]
    token: Option<HeaderValue>,
    /// The configuration file that it was started with [default: $SIDEBEAT_CONFIG, or else proxy.yaml]
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Why it is not known whom to ask.
#[derive(Debug, thiserror::Error)]
pub(super) enum FindError {
    #[error(transparent)]
    File(#[from] LoadError),
    #[error("{}: {reason}", .file.display())]
    Unreachable { file: PathBuf, reason: Unreachable },
    #[error("SIDEBEAT_ADMIN: {0}")]
    Address(String),
    #[error("SIDEBEAT_TOKEN: {0}")]
    Token(String),
}

/// The variables that are looked at.
struct Environment {
    admin: Option<OsString>,
    token: Option<OsString>,
    config: Option<OsString>,
}

impl Environment {
    fn here() -> Self {
        Environment {
            admin: env::var_os("SIDEBEAT_ADMIN"),
            token: env::var_os("SIDEBEAT_TOKEN"),
            config: env::var_os("SIDEBEAT_CONFIG"),
        }
    }
}

impl Whereabouts {
    /// Finds the sidecar; `before` is what stands before the subcommand. Nothing is asked of it yet.
    pub(super) fn find(self, before: ConfigFile) -> Result<Remote, FindError> {
        self.find_with(before, Environment::here(), &mut |line| print_error(line))
    }

    fn find_with(
        self,
        before: ConfigFile,
        environment: Environment,
        tell: &mut dyn FnMut(String),
    ) -> Result<Remote, FindError> {
        let file = ConfigFile {
            config: self.config.or(before.config),
        };
        let named = file.config.is_some();
        let address = match (self.admin, text(environment.admin)) {
            (None, Some(url)) => Some(address::read(&url).map_err(FindError::Address)?),
            (address, _) => address,
        };
        let given = match (self.token, text(environment.token)) {
            (None, Some(secret)) => Some(token(&secret).map_err(FindError::Token)?),
            (given, _) => given,
        };
        // A token is for the sidecar of its own file: it must not go to whatever address somebody else has given.
        if let (Some(address), false) = (&address, named) {
            return Ok(Remote::new(address.clone(), given, None));
        }
        let path = file.path(ConfigFile::default(), environment.config);
        let admin = match config::load_admin(&path) {
            Ok(admin) => admin,
            Err(LoadError::NotFound { .. }) if !named => Some(config::Admin::default()),
            Err(error @ LoadError::NotFound { .. }) => return Err(error.into()),
            Err(error) if address.is_none() => {
                // What runs may have been started before the file was spoilt.
                let default = Address::of(&config::Admin::default().listen);
                let default = default.map_or_else(|_| String::new(), |it| it.to_string());
                tell(format!("{error}\nso the default is tried: {default}"));
                Some(config::Admin::default())
            }
            Err(error) => return Err(error.into()),
        };
        let listens = admin.as_ref().map(|admin| Address::of(&admin.listen));
        let address = match address {
            Some(address) => Ok(address),
            None => listens.unwrap_or(Err(Unreachable::Off)),
        };
        let secret = admin.and_then(|admin| admin.token);
        let secret = secret.and_then(|secret| token(secret.reveal()).ok());
        match address {
            Ok(address) => Ok(Remote::new(address, given.or(secret), Some(path))),
            Err(reason) => Err(FindError::Unreachable { file: path, reason }),
        }
    }
}

/// What a variable holds, unless that is nothing.
fn text(variable: Option<OsString>) -> Option<String> {
    let variable = variable.filter(|value| !value.is_empty())?;
    Some(variable.to_string_lossy().into_owned())
}

/// `Bearer …`
fn token(secret: &str) -> Result<HeaderValue, String> {
    let value = HeaderValue::from_str(&format!("Bearer {secret}"));
    let visible = secret.bytes().all(|byte| byte.is_ascii_graphic());
    match value {
        Ok(mut value) if visible && !secret.is_empty() => {
            value.set_sensitive(true);
            Ok(value)
        }
        _ => Err("a token is made of ASCII letters, digits and signs, without spaces".to_owned()),
    }
}
