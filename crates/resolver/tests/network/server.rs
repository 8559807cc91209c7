//! A DNS server on loopback that answers from a zone: what a recursive resolver would say.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use dns::{Data, Name, RecordType, Response, Zone};
use hickory_proto::op::{Message, MessageType, OpCode, ResponseCode};
use hickory_proto::rr::rdata::{A, AAAA, CNAME, MX, NS, PTR, SOA, TXT};
use hickory_proto::rr::{self, RData, Record};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};

/// Octets that fit into an answer over UDP here: what is longer must be asked for over TCP.
const UDP_OCTETS_MAX: usize = 1_232;

/// Starts it; it ends with the runtime.
pub(crate) async fn start(zone: Zone) -> SocketAddr {
    let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = udp.local_addr().unwrap();
    let tcp = TcpListener::bind(address).await.unwrap();
    let zone = Arc::new(zone);
    tokio::spawn(over_udp(udp, Arc::clone(&zone)));
    tokio::spawn(over_tcp(tcp, zone));
    address
}

async fn over_udp(socket: UdpSocket, zone: Arc<Zone>) {
    let mut bytes = [0; 4_096];
    while let Ok((length, client)) = socket.recv_from(&mut bytes).await {
        let Some(mut answer) = answer(&zone, &bytes[..length]) else { continue };
        let mut wire = answer.to_vec().unwrap();
        if wire.len() > UDP_OCTETS_MAX {
            answer.answers.clear();
            answer.metadata.truncation = true;
            wire = answer.to_vec().unwrap();
        }
        socket.send_to(&wire, client).await.unwrap();
    }
}

async fn over_tcp(listener: TcpListener, zone: Arc<Zone>) {
    while let Ok((mut stream, _)) = listener.accept().await {
        let zone = Arc::clone(&zone);
        tokio::spawn(async move {
            while let Ok(length) = stream.read_u16().await {
                let mut bytes = vec![0; usize::from(length)];
                stream.read_exact(&mut bytes).await.unwrap();
                let Some(answer) = answer(&zone, &bytes) else { continue };
                let wire = answer.to_vec().unwrap();
                stream.write_u16(u16::try_from(wire.len()).unwrap()).await.unwrap();
                stream.write_all(&wire).await.unwrap();
            }
        });
    }
}

/// The answer to a message; none where the zone says that the question times out.
fn answer(zone: &Zone, bytes: &[u8]) -> Option<Message> {
    let asked = Message::from_vec(bytes).unwrap();
    let query = asked.queries[0].clone();
    let name = Name::from_labels(query.name().iter()).unwrap();
    let kind: RecordType = query.query_type().to_string().parse().unwrap();
    let mut answer = Message::response(asked.metadata.id, OpCode::Query);
    answer.metadata.message_type = MessageType::Response;
    answer.metadata.recursion_available = true;
    answer.add_query(query.clone());
    // Aliases stand before what they lead to, as a recursive resolver gives them.
    let mut at = name.clone();
    for _ in 0..8 {
        let Response::Found(alias) = zone.answer(&at, RecordType::Cname) else { break };
        if kind == RecordType::Cname {
            break;
        }
        let Data::Cname(target) = &alias.records()[0] else { break };
        answer.add_answer(Record::from_rdata(wire_name(&at), alias.ttl(), RData::CNAME(CNAME(wire_name(target)))));
        at = target.clone();
    }
    let soa = |ttl: u32| {
        let soa = SOA::new(rr::Name::root(), rr::Name::root(), 1, 3_600, 3_600, 3_600, ttl);
        Record::from_rdata(rr::Name::root(), ttl, RData::SOA(soa))
    };
    match zone.answer(&name, kind) {
        Response::Found(records) => {
            let data =
                records.records().iter().map(|data| Record::from_rdata(wire_name(&at), records.ttl(), wire(data)));
            answer.add_answers(data);
        }
        Response::NxDomain { ttl } => {
            answer.metadata.response_code = ResponseCode::NXDomain;
            answer.authorities.push(soa(ttl));
        }
        Response::NoData { ttl } => answer.authorities.push(soa(ttl)),
        Response::ServFail(_) => answer.metadata.response_code = ResponseCode::ServFail,
        Response::Timeout => return None,
    }
    Some(answer)
}

fn wire_name(name: &Name) -> rr::Name {
    rr::Name::from_labels(name.labels()).unwrap()
}

fn wire(data: &Data) -> RData {
    match data {
        Data::A(address) => RData::A(A(*address)),
        Data::Aaaa(address) => RData::AAAA(AAAA(*address)),
        Data::Txt(text) => RData::TXT(TXT::from_bytes(text.chunks(100).collect())),
        Data::Mx(preference, host) => RData::MX(MX::new(*preference, wire_name(host))),
        Data::Ptr(host) => RData::PTR(PTR(wire_name(host))),
        Data::Cname(target) => RData::CNAME(CNAME(wire_name(target))),
        Data::Ns(host) => RData::NS(NS(wire_name(host))),
        other => panic!("not served: {other:?}"),
    }
}
