//! Addresses that collide, and an admin listener that anybody can reach.

use super::super::engine::{KeyPath, Severity};
use super::super::model::{Config, Listen, is_every_address, share_addresses};
use super::scope::Scope;

/// Characters of a token that nobody guesses.
const MIN_TOKEN: usize = 16;

impl Scope<'_> {
    pub(super) fn addresses(&mut self, config: &Config) {
        self.exposed_admin(config);
        let all = listening(config);
        for (index, (path, address)) in all.iter().enumerate() {
            let collision = all[..index]
                .iter()
                .find(|(_, taken)| collide(taken, address));
            if let Some((other, taken)) = collision {
                let help = help(taken, address);
                let message = format!(
                    "`{path}` ({address}) and `{other}` ({taken}) cannot be had together; {help}"
                );
                self.report_at(Severity::Error, vec![path.clone(), other.clone()], message);
            }
        }
    }

    fn exposed_admin(&mut self, config: &Config) {
        let Some(admin) = &config.admin else { return };
        let address = match &admin.listen {
            Listen::Tcp(address) if !address.ip().is_loopback() => &admin.listen,
            _ => return,
        };
        let length = match &admin.token {
            None => {
                let message = format!(
                    "everybody who reaches {address} may look at and close connections; set `admin.token`, or listen on 127.0.0.1"
                );
                self.warn(&[&["admin", "listen"], &["admin", "token"]], message);
                return;
            }
            Some(token) => token.reveal().len(),
        };
        if length < MIN_TOKEN {
            let message = format!(
                "whoever reaches {address} can guess a token of {length} characters; use {MIN_TOKEN} or more, such as from `openssl rand -hex 16`"
            );
            self.warn(&[&["admin", "token"]], message);
        }
    }
}

/// Every address that is listened on, with the key that names it.
pub(super) fn listening(config: &Config) -> Vec<(KeyPath, &Listen)> {
    let key = KeyPath::of;
    let several = config.listen.len() > 1;
    let clients = config.listen.iter().enumerate().map(|(index, address)| {
        let path = key(&["listen"]);
        (if several { path.index(index) } else { path }, address)
    });
    let metrics = config.metrics.iter();
    let metrics = metrics.map(|address| (key(&["metrics", "listen"]), address));
    let admin = config.admin.iter();
    let admin = admin.map(|admin| (key(&["admin", "listen"]), &admin.listen));
    clients.chain(metrics).chain(admin).collect()
}

fn help(one: &Listen, other: &Listen) -> String {
    let every = [one, other]
        .into_iter()
        .find(|it| matches!(it, Listen::Tcp(address) if is_every_address(*address)));
    match (every, one) {
        (Some(every), _) => format!(
            "{every} is every address, IPv4 and IPv6: leave the other one out, or choose another port for one of them"
        ),
        (None, Listen::Tcp(_)) => "choose another port for one of them".to_owned(),
        (None, Listen::Unix { .. }) => "choose another path for one of them".to_owned(),
    }
}

/// Whether two addresses cannot be had together.
fn collide(one: &Listen, other: &Listen) -> bool {
    match (one, other) {
        (Listen::Unix { path: one, .. }, Listen::Unix { path: other, .. }) => one == other,
        (Listen::Tcp(one), Listen::Tcp(other)) => share_addresses(*one, *other),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
