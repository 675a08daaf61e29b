//! How entries of the connection table come, change state and go (`ip_vs_conn.c`).

use super::super::EmbeddedDirector;
use super::super::connections::{Client, Entry, Event, Flags, Leg, Target, TemplateState, is_active, sctp, tcp};
use super::super::ids::{DestinationId, EntryId};
use super::super::protocol::{FTP, TCP};
use super::super::table::Moment;
use super::pipeline::Failed;
use crate::model::ForwardingMethod;

/// Seconds by which the life of a template goes on while it has connections.
const STEP: u64 = 60;

impl EmbeddedDirector {
    /// Ticks of an entry that no packet has moved yet: three seconds.
    pub(super) const fn first_timeout(&self) -> u32 {
        3 * self.clock.hz() as u32
    }

    /// Makes an entry and binds it to a destination, if the table may have one more.
    #[inline]
    pub(super) fn connect(
        &mut self,
        client: &Client,
        target: &Target,
        destination: DestinationId,
        port: u16,
        flags: Flags,
    ) -> Result<EntryId, Failed> {
        if self.connections.len() >= self.connection_limit {
            return Err(Failed::Limit);
        }
        let method = self.table.destination(destination).config.forwarding;
        let mut flags = flags;
        flags |= Flags(u16::from(method.number()));
        flags |= Flags::INACTIVE;
        if method != ForwardingMethod::Masquerade {
            flags |= Flags::NO_OUTPUT;
        } else if target.port == FTP && self.options.ftp_helper && client.protocol == TCP {
            flags |= Flags::TRACKED;
        }
        if self.options.settings.conntrack {
            flags |= Flags::TRACKED;
        }
        if flags.contains(Flags::TEMPLATE) {
            self.table.template_added(destination);
        } else {
            self.table.connection_added(destination);
        }
        let entry = Entry::new(client, target.port, Some(destination), port, flags, self.first_timeout());
        let at = self.connections.insert(entry, target.addr);
        self.connection_table_grew();
        Ok(at)
    }

    /// Moves an entry to the state that a packet leads to.
    #[inline]
    pub(super) fn transit(&mut self, at: EntryId, leg: Leg, event: Event) {
        let entry = self.connections.get_mut(at);
        let mut leg = leg;
        if event != Event::Udp && entry.flags.contains(Flags::NO_OUTPUT) {
            // A reply that passes although it need not: from now on both ways count.
            if leg == Leg::Output {
                entry.flags.clear(Flags::NO_OUTPUT);
            } else {
                leg = Leg::InputOnly;
            }
        }
        let (state, timeout) = self.machine.next(leg, event, entry.state);
        entry.timeout = timeout;
        let mut confirms = false;
        if state != entry.state {
            entry.state = state;
            let active = is_active(event, state);
            if let Some(destination) = entry.destination
                && active == entry.flags.contains(Flags::INACTIVE)
            {
                if active {
                    entry.flags.clear(Flags::INACTIVE);
                    self.table.connection_activated(destination);
                } else {
                    entry.flags |= Flags::INACTIVE;
                    self.table.connection_deactivated(destination);
                }
            }
            confirms = match event {
                Event::Tcp(_) => state == tcp::ESTABLISHED,
                Event::Sctp(_) => state == sctp::ESTABLISHED,
                Event::Udp => false,
            };
        }
        if (confirms || (event == Event::Udp && leg == Leg::Output))
            && let Some(control) = self.connections.get(at).control
        {
            let template = self.connections.get_mut(control);
            if template.flags.contains(Flags::TEMPLATE) {
                template.state |= TemplateState::ASSURED;
            }
        }
    }

    /// Done with a packet of an entry: its timer starts again, or it was made for this packet only.
    #[inline]
    pub(super) fn packet_done(&mut self, at: EntryId, now: Moment) {
        if self.connections.get(at).flags.contains(Flags::ONE_PACKET) {
            self.expire(at, now.tick);
        } else {
            self.connections.arm(at, now.tick);
        }
    }

    /// The timer of an entry has run out (`ip_vs_conn_expire()`).
    pub(in crate::embedded) fn expire(&mut self, at: EntryId, now: u64) {
        let step = (STEP * self.clock.hz()) as u32;
        let entry = self.connections.get_mut(at);
        if entry.controlled > 0 {
            entry.timeout = step;
            self.connections.arm(at, now);
            return;
        }
        let entry = self.connections.remove(at);
        self.connection_table_shrank(now);
        if let Some(destination) = entry.destination {
            if entry.flags.contains(Flags::TEMPLATE) {
                self.table.template_removed(destination);
            } else {
                self.table.connection_removed(destination, !entry.flags.contains(Flags::INACTIVE));
            }
        }
        if let Some(template) = entry.control {
            let control = self.connections.get_mut(template);
            control.controlled -= 1;
            let assured = control.flags.contains(Flags::TEMPLATE) && control.state & TemplateState::ASSURED != 0;
            // Dropped before its time, it takes with it what was there for it alone.
            if entry.timeout == 0 && control.controlled == 0 && !assured {
                self.delete(template, now);
            }
        }
    }

    /// Removes an entry before its time, unless others depend on it (`ip_vs_conn_del()`).
    pub(in crate::embedded) fn delete(&mut self, at: EntryId, now: u64) {
        let entry = self.connections.get_mut(at);
        if entry.control.is_some() {
            entry.timeout = 0;
        }
        self.expire(at, now);
    }

    /// Removes the entries whose destination was removed (`ip_vs_expire_nodest_conn_flush()`).
    pub(in crate::embedded) fn expire_orphans(&mut self, now: u64) {
        let orphans: Vec<EntryId> = self
            .connections
            .iter()
            .filter(|(_, entry)| entry.destination.is_some_and(|destination| !self.table.is_available(destination)))
            .map(|(at, _)| at)
            .collect();
        // Connections first: only then are their templates free to go.
        let (controlling, plain): (Vec<EntryId>, Vec<EntryId>) =
            orphans.into_iter().partition(|at| self.connections.get(*at).flags.contains(Flags::TEMPLATE));
        for at in plain {
            self.delete(at, now);
        }
        for at in controlling {
            if self.connections.is_live(at) && self.connections.get(at).controlled == 0 {
                self.delete(at, now);
            }
        }
    }
}
