//! Everything that is listened on, and following the file: what is new is bound before anything old is let go.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::admin::{Recorder, Server, Service, State};
use crate::config::{Config, Listen, share_addresses};
use crate::gateway::Gateway;
use crate::net::listener::{BindError, Listener};
use crate::net::socket_file::SocketFile;
use crate::telemetry::LifecycleEvent;
use crate::telemetry::events::Listening;

/// Who is let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Door {
    Clients,
    Others(Service),
}

impl Door {
    /// The key of `proxy.yaml` that names the address.
    fn key(self) -> &'static str {
        match self {
            Door::Clients => "listen",
            Door::Others(Service::Metrics) => "metrics.listen",
            Door::Others(Service::Admin) => "admin.listen",
        }
    }

    fn opened(self, address: &str) -> LifecycleEvent<'_> {
        let listening = Listening { address };
        match self {
            Door::Clients => LifecycleEvent::Listening(listening),
            Door::Others(Service::Metrics) => LifecycleEvent::MetricsListening(listening),
            Door::Others(Service::Admin) => LifecycleEvent::AdminListening(listening),
        }
    }

    fn closed(self, address: &str) -> LifecycleEvent<'_> {
        let listening = Listening { address };
        match self {
            Door::Clients => LifecycleEvent::ListeningEnded(listening),
            Door::Others(Service::Metrics) => LifecycleEvent::MetricsListeningEnded(listening),
            Door::Others(Service::Admin) => LifecycleEvent::AdminListeningEnded(listening),
        }
    }
}

/// All addresses that are listened on.
pub(super) struct Listeners {
    state: Arc<State>,
    gateway: Arc<Gateway>,
    /// By [`Listen::place`].
    open: HashMap<(Door, Listen), Open>,
    /// Exists while operators can ask.
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
    Others(Server),
}

/// A task that accepts clients, and ends when this is dropped; what it has accepted lives on without it.
struct Clients {
    accepting: JoinHandle<()>,
    /// Never used: its end is the message.
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
    pub(super) fn new(state: Arc<State>) -> Self {
        let gateway = Arc::new(Gateway::new(Arc::clone(&state.shared)));
        Listeners {
            state,
            gateway,
            open: HashMap::new(),
            recorder: None,
        }
    }

    /// Binds what is new, then lets go what is not wanted any more. On an error nothing has changed.
    pub(super) fn follow(&mut self, config: &Config) -> Result<(), BindError> {
        let wanted = wanted(config);
        let is_open =
            |(door, address): &(Door, Listen)| self.open.contains_key(&(*door, address.place()));
        let new = wanted.iter().filter(|wanted| !is_open(wanted));
        let bind = |door: &(Door, Listen)| self.bind(door).map(|bound| (door.clone(), bound));
        let bound: Vec<((Door, Listen), Bound)> = new.map(bind).collect::<Result<_, _>>()?;
        self.set_modes(&wanted)?;
        if config.admin.is_some() && self.recorder.is_none() {
            self.recorder = Some(Recorder::start(&self.state.shared.observer));
        }
        for ((door, address), bound) in bound {
            let open = self.open(door, &address, bound);
            self.open.insert((door, address.place()), open);
        }
        let observer = &self.state.shared.observer;
        self.open.retain(|(door, place), open| {
            let is_it = |(of, address): &(Door, Listen)| of == door && address.place() == *place;
            let keep = wanted.iter().any(is_it);
            if !keep {
                observer.publish(&door.closed(&open.address));
            }
            keep
        });
        if config.admin.is_none() {
            self.recorder = None;
        }
        Ok(())
    }

    fn bind(&self, (door, address): &(Door, Listen)) -> Result<Bound, BindError> {
        let runtimes = match door {
            Door::Clients => self.state.shared.workers.runtimes(),
            Door::Others(_) => &[Handle::current()],
        };
        // Of what another process has, nothing is to be taken: joined is only what this one has already.
        let joins = self.open.values().any(|open| open.overlaps(address));
        Listener::bind_for(runtimes, address, door.key(), joins)
    }

    /// Changes the permissions of sockets that are open already.
    fn set_modes(&mut self, wanted: &[(Door, Listen)]) -> Result<(), BindError> {
        for (door, address) in wanted {
            let Listen::Unix { mode, .. } = address else {
                continue;
            };
            let Some(open) = self.open.get_mut(&(*door, address.place())) else {
                continue;
            };
            if let Some(file) = open.socket_file.as_ref().filter(|_| open.mode != *mode) {
                let (key, address) = (door.key(), address.clone());
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

    fn open(&self, door: Door, listen: &Listen, bound: Bound) -> Open {
        let first = bound.first().map(|(_, listener)| listener);
        let address = first.map(Listener::to_string).unwrap_or_default();
        let tcp = first.and_then(Listener::tcp_address);
        let socket_file = first.and_then(Listener::socket_file).cloned();
        let mode = match listen {
            Listen::Tcp(_) => None,
            Listen::Unix { mode, .. } => *mode,
        };
        let serve = |(runtime, listener): (Handle, Listener)| match door {
            Door::Clients => Accepting::Clients(Clients::start(&runtime, listener, &self.gateway)),
            Door::Others(service) => {
                Accepting::Others(Server::start(listener, service, Arc::clone(&self.state)))
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
        let observer = &self.state.shared.observer;
        observer.publish(&door.opened(&open.address));
        open
    }

    /// Ends listening for clients, and waits until the sockets, and the files of Unix ones, are gone.
    pub(super) async fn end_clients(&mut self) {
        let clients = self.open.extract_if(|(door, _), _| *door == Door::Clients);
        let clients: Vec<Open> = clients.map(|(_, open)| open).collect();
        for open in clients {
            open.end().await;
        }
    }

    /// The same for all others: the last that ends.
    pub(super) async fn end(&mut self) {
        for (_, open) in self.open.drain() {
            open.end().await;
        }
    }
}

impl Open {
    /// Whether a new socket would share addresses with these.
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
                    // Ended or failed, it is over.
                    let _ = accepting.await;
                }
                Accepting::Others(server) => server.end().await,
            }
        }
    }
}

/// In the order in which they are bound and told.
fn wanted(config: &Config) -> Vec<(Door, Listen)> {
    let clients = config.listen.iter();
    let clients = clients.map(|address| (Door::Clients, address.clone()));
    let other = |service, address: &Listen| (Door::Others(service), address.clone());
    let metrics = config.metrics.iter();
    let metrics = metrics.map(|address| other(Service::Metrics, address));
    let admin = config.admin.iter();
    let admin = admin.map(|admin| other(Service::Admin, &admin.listen));
    clients.chain(metrics).chain(admin).collect()
}
