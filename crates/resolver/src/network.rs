//! Questions to recursive resolvers over UDP and TCP, each by itself: no cache, no search list, no hosts file.
//!
//! In: a name and a type. Out: the answer, aliases followed; absence with the time it may be kept (RFC 2308 §5); failures in words.

use std::net::SocketAddr;
use std::time::Duration;

use dns::{Data, Lookup, Name, RecordType, Records, Response};
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{self, RData};
use thiserror::Error;

/// How long one question may take.
#[derive(Debug, Clone, Copy)]
pub struct NetworkLimits {
    /// Until a question to one server is given up.
    pub timeout: Duration,
    /// Times that a question is sent. RFC 9520 §3.1: "SHOULD NOT retry more than … three".
    pub attempts: usize,
    /// Questions under way at once on one connection.
    pub active_max: usize,
}

impl Default for NetworkLimits {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(3), attempts: 2, active_max: 1_024 }
    }
}

/// Why there is no way to DNS.
#[derive(Debug, Error)]
pub enum NetworkError {
    /// The machine's own settings cannot be used.
    #[error("no DNS server found in /etc/resolv.conf: {0}; name one, such as 127.0.0.1")]
    System(String),
    /// The library refused.
    #[error("DNS cannot be used: {0}")]
    Build(String),
}

/// The recursive resolvers that are asked.
#[derive(Clone, Debug)]
pub struct Network {
    resolver: TokioResolver,
}

impl Network {
    /// Those that this machine is set to ask.
    ///
    /// # Errors
    /// There are none.
    pub fn system(limits: NetworkLimits) -> Result<Self, NetworkError> {
        let (config, _) =
            hickory_resolver::system_conf::read_system_conf().map_err(|e| NetworkError::System(e.to_string()))?;
        Self::build(config, limits)
    }

    /// Certain ones.
    ///
    /// # Errors
    /// The library refuses; not seen in practice.
    pub fn servers(servers: &[SocketAddr], limits: NetworkLimits) -> Result<Self, NetworkError> {
        let server = |address: &SocketAddr| {
            let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
                connection.port = address.port();
                connection
            });
            // They are recursive resolvers: what they say is absent is absent.
            NameServerConfig::new(address.ip(), true, connections.into())
        };
        Self::build(ResolverConfig::from_name_servers(servers.iter().map(server).collect()), limits)
    }

    fn build(config: ResolverConfig, limits: NetworkLimits) -> Result<Self, NetworkError> {
        let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
        let options: &mut ResolverOpts = builder.options_mut();
        options.timeout = limits.timeout;
        options.attempts = limits.attempts;
        options.max_active_requests = limits.active_max;
        // Answers are kept one floor up, with what was parsed of them.
        options.cache_size = 0;
        options.use_hosts_file = ResolveHosts::Never;
        options.preserve_intermediates = false;
        options.edns0 = true;
        let resolver = builder.build().map_err(|error| NetworkError::Build(error.to_string()))?;
        Ok(Self { resolver })
    }
}

impl Lookup for Network {
    async fn lookup(&self, name: &Name, kind: RecordType) -> Response {
        let Ok(mut asked) = rr::Name::from_labels(name.labels()) else {
            // A `Name` keeps the sizes of RFC 1035, so this is not reached.
            return Response::ServFail("the name cannot be asked for".into());
        };
        // Absolute: no search list.
        asked.set_fqdn(true);
        match self.resolver.lookup(asked, wire_kind(kind)).await {
            Ok(answer) => {
                let records = || answer.answers().iter().filter(|record| record.record_type() == wire_kind(kind));
                let data: Option<Vec<Data>> = records().map(|record| data(&record.data)).collect();
                let ttl = records().map(|record| record.ttl).min().unwrap_or_default();
                match data {
                    Some(data) if data.is_empty() => Response::NoData { ttl },
                    // The resolver's word is as good as the way to it: RFC 4035 §4.9.3.
                    Some(data) => Response::Found(Records::new(
                        data,
                        ttl,
                        answer.message().metadata.authentic_data.then_some(true),
                    )),
                    None => Response::ServFail("the answer has a name that is none".into()),
                }
            }
            Err(error) => absence(&error),
        }
    }
}

/// What an error of the library says about the name.
fn absence(error: &NetError) -> Response {
    match error {
        NetError::Dns(DnsError::NoRecordsFound(none)) => {
            // RFC 2308 §5: "Negative responses without SOA records SHOULD NOT be cached".
            let ttl = none.negative_ttl.unwrap_or_default();
            match none.response_code {
                ResponseCode::NXDomain => Response::NxDomain { ttl },
                ResponseCode::NoError => Response::NoData { ttl },
                code => Response::ServFail(code.to_str().into()),
            }
        }
        NetError::Dns(DnsError::ResponseCode(ResponseCode::NXDomain)) => Response::NxDomain { ttl: 0 },
        NetError::Dns(DnsError::ResponseCode(code)) => Response::ServFail(code.to_str().into()),
        NetError::Timeout => Response::Timeout,
        other => Response::ServFail(other.to_string().into()),
    }
}

const fn wire_kind(kind: RecordType) -> rr::RecordType {
    match kind {
        RecordType::Aaaa => rr::RecordType::AAAA,
        RecordType::Txt => rr::RecordType::TXT,
        RecordType::Mx => rr::RecordType::MX,
        RecordType::Ptr => rr::RecordType::PTR,
        RecordType::Cname => rr::RecordType::CNAME,
        RecordType::Ns => rr::RecordType::NS,
        // `RecordType` may grow; until then nothing else comes here.
        _ => rr::RecordType::A,
    }
}

/// Record data in our own form; nothing where a name in it is none.
fn data(data: &RData) -> Option<Data> {
    let name = |name: &rr::Name| Name::from_labels(name.iter()).ok();
    Some(match data {
        RData::A(address) => Data::A(address.0),
        RData::AAAA(address) => Data::Aaaa(address.0),
        RData::TXT(text) => Data::Txt(text.txt_data.concat().into()),
        RData::MX(exchange) => Data::Mx(exchange.preference, name(&exchange.exchange)?),
        RData::PTR(host) => Data::Ptr(name(&host.0)?),
        RData::CNAME(alias) => Data::Cname(name(&alias.0)?),
        RData::NS(server) => Data::Ns(name(&server.0)?),
        _ => return None,
    })
}
