use super::{Connection, EngineData};

/// A connection that outlives the table it was read from.
///
/// ```
/// use lvs_core::model::OwnedConnection;
/// use lvs_core::procfs::Connections;
///
/// let text = b"TCP CB007105 EC70 C0000201 0050 C6336407 1F90 ESTABLISHED     899\n";
/// let kept = Connections::new(text).map(|found| Ok(found?.into())).collect::<lvs_core::Result<Vec<OwnedConnection>>>()?;
/// assert_eq!(kept[0].as_connection().client().to_string(), "203.0.113.5:60528");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OwnedConnection {
    /// Without what it would borrow.
    plain: Connection<'static>,
    unknown_state: Option<Box<str>>,
    engine: Option<(Box<str>, Box<[u8]>)>,
}

impl OwnedConnection {
    /// The connection.
    pub fn as_connection(&self) -> Connection<'_> {
        let engine = self.engine.as_ref().map(|(engine, data)| EngineData { engine, data });
        Connection { unknown_state: self.unknown_state.as_deref(), engine, ..self.plain }
    }
}

impl From<Connection<'_>> for OwnedConnection {
    fn from(connection: Connection<'_>) -> Self {
        // Named one by one, so that a field which borrows cannot be forgotten.
        let Connection {
            protocol,
            client_addr,
            client_port,
            target,
            mark_port,
            destination_addr,
            destination_port,
            state,
            unknown_state,
            expires,
            origin,
            engine,
        } = connection;
        let plain = Connection {
            protocol,
            client_addr,
            client_port,
            target,
            mark_port,
            destination_addr,
            destination_port,
            state,
            unknown_state: None,
            expires,
            origin,
            engine: None,
        };
        let engine = engine.map(|EngineData { engine, data }| (engine.into(), data.into()));
        Self { plain, unknown_state: unknown_state.map(Into::into), engine }
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for OwnedConnection {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_connection().serialize(serializer)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for OwnedConnection {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        Connection::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Connection::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ConnectionState, ConnectionTarget, Protocol};

    #[test]
    fn a_kept_connection_is_the_one_that_was_read() {
        let (client, server) = ("203.0.113.5".parse().unwrap(), "198.51.100.7".parse().unwrap());
        let target = ConnectionTarget::Endpoint { addr: "192.0.2.1".parse().unwrap(), port: 5060 };
        let state = ConnectionState::Unknown;
        let mut read = Connection::new(Protocol::Udp, (client, 5060), target, (server, 5060), state, 300);
        let (word, data) = (String::from("NEW_STATE"), b"call-1@host".to_vec());
        read.unknown_state = Some(&word);
        read.engine = Some(EngineData { engine: "sip", data: &data });
        assert_eq!(OwnedConnection::from(read).as_connection(), read);
    }
}
