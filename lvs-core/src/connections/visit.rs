use std::ops::ControlFlow;

use super::ConnectionFilter;
use crate::director::Director;
use crate::error::{Error, Result};
use crate::model::{Connection, OwnedConnection};

/// Shows a director's connections to a visitor that can fail: `?` works inside, and its error ends
/// the visit.
///
/// ```
/// use std::io::Write;
///
/// use lvs_core::connections;
/// use lvs_core::embedded::EmbeddedDirector;
///
/// let (mut director, mut out) = (EmbeddedDirector::new(), Vec::new());
/// connections::try_visit(&mut director, |connection| -> lvs_core::Result<()> {
///     writeln!(out, "{} {}", connection.client(), connection.destination())?;
///     Ok(())
/// })?;
/// # Ok::<(), lvs_core::Error>(())
/// ```
///
/// # Errors
/// The visitor's, or the director's.
pub fn try_visit<D, E>(director: &mut D, mut visitor: impl FnMut(&Connection<'_>) -> Result<(), E>) -> Result<(), E>
where
    D: Director + ?Sized,
    E: From<Error>,
{
    let mut outcome = Ok(());
    director.visit_connections(&mut |connection| match visitor(connection) {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => {
            outcome = Err(error);
            ControlFlow::Break(())
        }
    })?;
    outcome
}

/// A director's connections that a filter lets pass, kept. A table can hold millions:
/// [`ConnectionSums`](super::ConnectionSums) and [`ClientSums`](super::ClientSums) count them
/// without keeping them.
///
/// # Errors
/// The director's.
pub fn collect<D: Director + ?Sized>(director: &mut D, filter: &ConnectionFilter) -> Result<Vec<OwnedConnection>> {
    let mut kept = Vec::new();
    director.visit_matching_connections(filter, &mut |connection| {
        kept.push((*connection).into());
        ControlFlow::Continue(())
    })?;
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedded::{EmbeddedDirector, Flow};
    use crate::model::{Destination, Service, ServiceKey};

    fn director(flows: u16) -> EmbeddedDirector {
        let mut director = EmbeddedDirector::new();
        let key = ServiceKey::tcp("192.0.2.1", 80).unwrap();
        director.add_service(&Service::new(key)).unwrap();
        director.add_destination(&key, &Destination::new("198.51.100.7".parse().unwrap(), 80)).unwrap();
        for port in 0..flows {
            let client = ([203, 0, 113, 9], 40_000 + port).into();
            let _ = director.open(&Flow::tcp(client, key.socket_addr().unwrap()));
        }
        director
    }

    #[test]
    fn the_error_of_a_visitor_ends_the_visit() {
        let mut seen = 0;
        let error = try_visit(&mut director(9), |_| -> Result<()> {
            seen += 1;
            if seen == 3 { Err(std::io::Error::other("enough").into()) } else { Ok(()) }
        });
        assert_eq!((error.unwrap_err().to_string().as_str(), seen), ("enough", 3));
    }

    #[test]
    fn what_a_filter_lets_pass_is_kept() {
        let mut director = director(3);
        let all = collect(&mut director, &ConnectionFilter::new()).unwrap();
        assert_eq!(all.len(), 3);
        let other = ConnectionFilter::new().with_service(&ServiceKey::tcp("192.0.2.2", 80).unwrap());
        assert_eq!(collect(&mut director, &other).unwrap(), []);
        let kept = &all[0];
        assert_eq!(kept.as_connection().destination().to_string(), "198.51.100.7:80");
    }
}
