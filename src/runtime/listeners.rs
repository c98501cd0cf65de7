//! The listeners of the process. When the configuration changes, new addresses are bound before old ones are closed, and
//! if one of them cannot be bound nothing changes.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::admin::{AdminState, Recorder, Server, Service};
use crate::config::{Config, Listen, share_addresses};
use crate::gateway::Gateway;
use crate::net::listener::{BindError, Listener};
use crate::net::socket_file::SocketFile;
use crate::telemetry::LifecycleEvent;
use crate::telemetry::events::Listening;

/// Whom a listener accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum ListenerKind {
    Clients,
    Management(Service),
}

impl ListenerKind {
    /// The key of `proxy.yaml` that names the address.
    fn key(self) -> &'static str {
        match self {
            ListenerKind::Clients => "listen",
            ListenerKind::Management(Service::Metrics) => "metrics.listen",
            ListenerKind::Management(Service::Admin) => "admin.listen",
        }
    }

    fn opened(self, address: &str) -> LifecycleEvent<'_> {
        let listening = Listening { address };
        match self {
            ListenerKind::Clients => LifecycleEvent::Listening(listening),
            ListenerKind::Management(Service::Metrics) => {
                LifecycleEvent::MetricsListening(listening)
            }
            ListenerKind::Management(Service::Admin) => LifecycleEvent::AdminListening(listening),
        }
    }

    fn closed(self, address: &str) -> LifecycleEvent<'_> {
        let listening = Listening { address };
        match self {
            ListenerKind::Clients => LifecycleEvent::ListeningEnded(listening),
            ListenerKind::Management(Service::Metrics) => {
                LifecycleEvent::MetricsListeningEnded(listening)
            }
            ListenerKind::Management(Service::Admin) => {
                LifecycleEvent::AdminListeningEnded(listening)
            }
        }
    }
}

pub(super) struct Listeners {
    state: Arc<AdminState>,
    gateway: Arc<Gateway>,
    /// By [`Listen::place`].
    open: HashMap<(ListenerKind, Listen), Open>,
    /// Exists while there is an admin listener.
    recorder: Option<Recorder>,
}

struct Open {
    address: String,
    tcp: Option<SocketAddr>,
    socket_file: Option<SocketFile>,
    mode: Option<u32>,
    accepting: Vec<Accepting>,
}

enum Accepting {
    Clients(Clients),
    Management(Server),
}

/// A task that accepts clients, and ends when this is dropped. The connections that it has accepted go on.
struct Clients {
    accepting: JoinHandle<()>,
    /// Nothing is sent: dropping it ends the task.
    end: oneshot::Sender<()>,
}

impl Clients {
    fn start(runtime: &Handle, listener: Listener, gateway: &Arc<Gateway>) -> Self {
        let (end, ended) = oneshot::channel();
        let accepting = runtime.spawn(Arc::clone(gateway).serve(listener, ended));
        Clients { accepting, end }
    }
}

/// A bound address: a listener for each runtime that serves it.
type Bound = Vec<(Handle, Listener)>;

impl Listeners {
    pub(super) fn new(state: Arc<AdminState>) -> Self {
        let gateway = Arc::new(Gateway::new(Arc::clone(&state.context)));
        Listeners {
            state,
            gateway,
            open: HashMap::new(),
            recorder: None,
        }
    }

    /// Binds new addresses, then closes those that the configuration no longer has. On an error nothing has changed.
    pub(super) fn follow(&mut self, config: &Config) -> Result<(), BindError> {
        let wanted = wanted(config);
        let is_open = |(kind, address): &(ListenerKind, Listen)| {
            self.open.contains_key(&(*kind, address.place()))
        };
        let new = wanted.iter().filter(|wanted| !is_open(wanted));
        let bind =
            |kind: &(ListenerKind, Listen)| self.bind(kind).map(|bound| (kind.clone(), bound));
        let bound: Vec<((ListenerKind, Listen), Bound)> =
            new.map(bind).collect::<Result<_, _>>()?;
        self.set_modes(&wanted)?;
        if config.admin.is_some() && self.recorder.is_none() {
            self.recorder = Some(Recorder::start(&self.state.context.observer));
        }
        for ((kind, address), bound) in bound {
            let open = self.open(kind, &address, bound);
            self.open.insert((kind, address.place()), open);
        }
        let observer = &self.state.context.observer;
        self.open.retain(|(kind, place), open| {
            let is_it =
                |(of, address): &(ListenerKind, Listen)| of == kind && address.place() == *place;
            let keep = wanted.iter().any(is_it);
            if !keep {
                observer.publish(&kind.closed(&open.address));
            }
            keep
        });
        if config.admin.is_none() {
            self.recorder = None;
        }
        Ok(())
    }

    fn bind(&self, (kind, address): &(ListenerKind, Listen)) -> Result<Bound, BindError> {
        let runtimes = match kind {
            ListenerKind::Clients => self.state.context.workers.runtimes(),
            ListenerKind::Management(_) => &[Handle::current()],
        };
        // An address may be shared only with a socket of this process, never with one of another.
        let joins = self.open.values().any(|open| open.overlaps(address));
        Listener::bind_for(runtimes, address, kind.key(), joins)
    }

    /// Changes the permissions of open sockets.
    fn set_modes(&mut self, wanted: &[(ListenerKind, Listen)]) -> Result<(), BindError> {
        for (kind, address) in wanted {
            let Listen::Unix { mode, .. } = address else {
                continue;
            };
            let Some(open) = self.open.get_mut(&(*kind, address.place())) else {
                continue;
            };
            if let Some(file) = open.socket_file.as_ref().filter(|_| open.mode != *mode) {
                let (key, address) = (kind.key(), address.clone());
                file.set_mode(*mode).map_err(|error| BindError::Other {
                    key,
                    address,
                    error,
                })?;
                open.mode = *mode;
            }
        }
        Ok(())
    }

    fn open(&self, kind: ListenerKind, listen: &Listen, bound: Bound) -> Open {
        let first = bound.first().map(|(_, listener)| listener);
        let address = first.map(Listener::to_string).unwrap_or_default();
        let tcp = first.and_then(Listener::tcp_address);
        let socket_file = first.and_then(Listener::socket_file).cloned();
        let mode = match listen {
            Listen::Tcp(_) => None,
            Listen::Unix { mode, .. } => *mode,
        };
        let serve = |(runtime, listener): (Handle, Listener)| match kind {
            ListenerKind::Clients => {
                Accepting::Clients(Clients::start(&runtime, listener, &self.gateway))
            }
            ListenerKind::Management(service) => {
                Accepting::Management(Server::start(listener, service, Arc::clone(&self.state)))
            }
        };
        let accepting = bound.into_iter().map(serve).collect();
        let open = Open {
            address,
            tcp,
            socket_file,
            mode,
            accepting,
        };
        let observer = &self.state.context.observer;
        observer.publish(&kind.opened(&open.address));
        open
    }

    /// Closes the listeners for clients, and waits until the sockets and the files of Unix sockets are gone.
    pub(super) async fn end_clients(&mut self) {
        let clients = self
            .open
            .extract_if(|(kind, _), _| *kind == ListenerKind::Clients);
        let clients: Vec<Open> = clients.map(|(_, open)| open).collect();
        for open in clients {
            open.end().await;
        }
    }

    /// Closes all other listeners.
    pub(super) async fn end(&mut self) {
        for (_, open) in self.open.drain() {
            open.end().await;
        }
    }
}

impl Open {
    /// Whether a new socket would share addresses with this one.
    fn overlaps(&self, new: &Listen) -> bool {
        let (Some(ours), Listen::Tcp(new)) = (self.tcp, new) else {
            return false;
        };
        share_addresses(ours, *new)
    }

    async fn end(self) {
        for accepting in self.accepting {
            match accepting {
                Accepting::Clients(Clients { accepting, end }) => {
                    drop(end);
                    // Whether it returned or failed, the task has ended.
                    let _ = accepting.await;
                }
                Accepting::Management(server) => server.shut_down().await,
            }
        }
    }
}

/// The listeners of a configuration, in the order in which they are bound and logged.
fn wanted(config: &Config) -> Vec<(ListenerKind, Listen)> {
    let clients = config.listen.iter();
    let clients = clients.map(|address| (ListenerKind::Clients, address.clone()));
    let other = |service, address: &Listen| (ListenerKind::Management(service), address.clone());
    let metrics = config.metrics.iter();
    let metrics = metrics.map(|address| other(Service::Metrics, address));
    let admin = config.admin.iter();
    let admin = admin.map(|admin| other(Service::Admin, &admin.listen));
    clients.chain(metrics).chain(admin).collect()
}
