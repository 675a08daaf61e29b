//! The tables of attributes: one row an attribute, from which everything else about it follows.

/// The attributes of a nest, for callers that need their length.
pub(crate) trait Fields: netlink_packet_core::Emitable {
    /// Writes the attributes to the front of a buffer; gives back their bytes.
    fn put(&self, buffer: &mut [u8]) -> usize;
}

/// Kernel series from text, for comparing: `"5.3"`.
pub(crate) const fn series(text: &str) -> u16 {
    let bytes = text.as_bytes();
    let (mut parts, mut part, mut index) = ([0; 2], 0, 0);
    while index < bytes.len() {
        if bytes[index] == b'.' {
            part += 1;
        } else {
            parts[part] = parts[part] * 10 + (bytes[index] - b'0') as u16;
        }
        index += 1;
    }
    parts[0] << 8 | parts[1]
}

/// What the layout of a nest needs to know of an attribute.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    pub(crate) number: u16,
    pub(crate) size: Option<usize>,
    pub(crate) since: u16,
}

/// Where each attribute starts in a nest of kernels of a series, and where the last ends. A nest
/// that has attributes of varying size has no such layout: it ends at 0.
pub(crate) const fn places<const N: usize, const ENDS: usize>(rows: &[Row; N], series: u16) -> [usize; ENDS] {
    let mut places = [0; ENDS];
    let mut index = 0;
    while index < N {
        places[index + 1] = places[index];
        if rows[index].since <= series {
            match rows[index].size {
                Some(size) => places[index + 1] += 4 + super::attr::align(size),
                None => return [0; ENDS],
            }
        }
        index += 1;
    }
    places
}

/// The newest series before `limit` that brought an attribute.
pub(crate) const fn newest_before<const N: usize>(rows: &[Row; N], limit: u16) -> u16 {
    let (mut newest, mut index) = (0, 0);
    while index < N {
        if rows[index].since < limit && rows[index].since > newest {
            newest = rows[index].since;
        }
        index += 1;
    }
    newest
}

/// Defines a nest (or the top of a message) by its attributes, in the order in which the kernel
/// writes them:
///
/// ```text
/// NUMBER = value: kind => field / Variant, since "series" [, model(path of the field)];
/// ```
///
/// It makes of that
/// * the constants, in a module `numbers`;
/// * a struct with one optional value an attribute: read from a reply, or from a request by the
///   kernel's policy; written by [`Emitable`](netlink_packet_core::Emitable); for nests whose
///   attributes all have one size also read at fixed places, as today's kernels and those before
///   the newest attribute write them;
/// * from the rows with a path: `set_MODEL` and `fill_MODEL`, which copy from and to a value of the
///   model (`config`: what is configured, `state`: what is observed);
/// * an enum with one typed variant an attribute, an [`Nla`](netlink_packet_core::Nla), for code that
///   shows or rewrites messages.
macro_rules! attributes {
    (
        $(#[$doc:meta])* $fields:ident / $(#[$typed_doc:meta])* $typed:ident
        [$(config = $config:ty)? $(, state = $state:ty)?] $rows:tt
    ) => {
        attributes!(@nest [$(#[$doc])*] $fields $rows);
        attributes!(@typed [$(#[$typed_doc])*] $typed $rows);
        $(attributes!(@model config set_config fill_config $fields, $config, $rows);)?
        $(attributes!(@model state set_state fill_state $fields, $state, $rows);)?
    };

    (@nest [$($doc:tt)*] $fields:ident {
        $($number:ident = $value:literal: $kind:ty => $field:ident / $variant:ident, since $since:literal
            $(, $model:ident($($path:tt)+))?;)*
    }) => {
        /// The attributes' numbers.
        #[allow(missing_docs)] // The kernel's names.
        pub mod numbers {
            $(pub const $number: u16 = $value;)*
        }
        #[allow(unused_imports)]
        use numbers::*;

        const ROWS: [$crate::wire::table::Row; [$($value),*].len()] = [
            $($crate::wire::table::Row {
                number: $value,
                size: <$kind as $crate::wire::kind::Kind<'static>>::SIZE,
                since: $crate::wire::table::series($since),
            },)*
        ];

        const NEWEST: u16 = $crate::wire::table::newest_before(&ROWS, u16::MAX);

        /// The rows by name.
        #[allow(dead_code)]
        #[derive(Clone, Copy)]
        enum Place {
            $($variant,)*
        }

        #[allow(dead_code)]
        impl Place {
            const fn is_in(self, series: u16) -> bool {
                ROWS[self as usize].since <= series
            }

            const fn size(self) -> Option<usize> {
                ROWS[self as usize].size
            }
        }

        $($doc)*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) struct $fields<'a> {
            $(pub(crate) $field: Option<<$kind as $crate::wire::kind::Kind<'a>>::Value>,)*
        }

        impl Default for $fields<'_> {
            #[inline(always)]
            fn default() -> Self {
                Self { $($field: None,)* }
            }
        }

        #[allow(dead_code)] // Not every nest is read in each way.
        impl<'a> $fields<'a> {
            /// Reads a reply: the last of each attribute; what is unknown or too short is skipped.
            #[inline]
            pub(crate) fn read(nest: $crate::wire::attr::Attributes<'a>) -> Self {
                let mut fields = Self::default();
                nest.for_each(|attribute| fields.take(attribute));
                fields
            }

            /// Reads a request as the kernel does.
            ///
            /// # Errors
            /// The first attribute that breaks the policy.
            pub(crate) fn read_request(
                nest: $crate::wire::attr::Attributes<'a>,
            ) -> Result<Self, $crate::wire::attr::Attribute<'a>> {
                let mut fields = Self::default();
                for attribute in nest {
                    if !Self::policy(attribute.number()).accepts(attribute.payload) {
                        return Err(attribute);
                    }
                    fields.take(attribute);
                }
                Ok(fields)
            }

            pub(crate) const fn policy(number: u16) -> $crate::wire::kind::Policy {
                match number {
                    $($number => <$kind as $crate::wire::kind::Kind<'static>>::POLICY,)*
                    _ => $crate::wire::kind::Policy::Any,
                }
            }

            #[inline]
            fn take(&mut self, attribute: $crate::wire::attr::Attribute<'a>) {
                match attribute.number() {
                    $($number => {
                        self.$field = <$kind as $crate::wire::kind::Kind<'a>>::read(
                            attribute.payload,
                            attribute.is_marked(),
                        );
                    })*
                    _ => {}
                }
            }

            /// Reads a nest that holds just what current kernels write. Inlined, so that the
            /// values go where they stay.
            #[inline(always)]
            pub(crate) fn read_fixed(bytes: &'a [u8]) -> Option<Self> {
                Self::read_layout::<NEWEST>(bytes)
            }

            /// Reads a nest of any layout; that of kernels before the newest attribute as fast as
            /// the other.
            pub(crate) fn read_any(nest: $crate::wire::attr::Attributes<'a>) -> Self {
                Self::read_fixed_before(nest.rest()).unwrap_or_else(|| Self::read(nest))
            }

            /// Reads a nest that holds just what kernels before the newest attribute write.
            pub(crate) fn read_fixed_before(bytes: &'a [u8]) -> Option<Self> {
                Self::read_layout::<{ $crate::wire::table::newest_before(&ROWS, NEWEST) }>(bytes)
            }

            #[inline(always)]
            fn read_layout<const SERIES: u16>(bytes: &'a [u8]) -> Option<Self> {
                const COUNT: usize = ROWS.len();
                let places: &'static [usize; COUNT + 1] =
                    const { &$crate::wire::table::places::<COUNT, { COUNT + 1 }>(&ROWS, SERIES) };
                if bytes.len() != places[COUNT] || bytes.is_empty() {
                    return None;
                }
                let mut differences = 0;
                $(if let (true, Some(size)) = (Place::$variant.is_in(SERIES), Place::$variant.size()) {
                    let start = places[Place::$variant as usize];
                    differences |= $crate::wire::attr::header_at(bytes, start)
                        ^ $crate::wire::attr::header(4 + size, ROWS[Place::$variant as usize].number);
                    differences |= <$kind as $crate::wire::kind::Kind<'a>>::differences(
                        bytes.get(start + 4..start + 4 + size)?,
                    );
                })*
                if differences != 0 {
                    return None;
                }
                let mut fields = Self::default();
                $(if let (true, Some(size)) = (Place::$variant.is_in(SERIES), Place::$variant.size()) {
                    let start = places[Place::$variant as usize] + 4;
                    fields.$field =
                        <$kind as $crate::wire::kind::Kind<'a>>::read_fixed(bytes.get(start..start + size)?);
                })*
                Some(fields)
            }
        }

        impl $crate::wire::table::Fields for $fields<'_> {
            #[inline]
            fn put(&self, buffer: &mut [u8]) -> usize {
                let length = buffer.len();
                let rest = buffer;
                $(
                    let rest = match &self.$field {
                        Some(value) => $crate::wire::kind::put::<$kind>(rest, $number, value),
                        None => rest,
                    };
                )*
                length - rest.len()
            }
        }

        impl netlink_packet_core::Emitable for $fields<'_> {
            #[inline]
            fn buffer_len(&self) -> usize {
                0 $(+ self.$field.as_ref().map_or(0, $crate::wire::kind::room::<$kind>))*
            }

            #[inline]
            fn emit(&self, buffer: &mut [u8]) {
                $crate::wire::table::Fields::put(self, buffer);
            }
        }
    };

    (@typed [$($doc:tt)*] $typed:ident {
        $($number:ident = $value:literal: $kind:ty => $field:ident / $variant:ident, since $since:literal
            $(, $model:ident($($path:tt)+))?;)*
    }) => {
        $($doc)*
        ///
        /// An attribute becomes a typed variant only if that gives back the same bytes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[allow(missing_docs)] // Each variant is the kernel's attribute of that name.
        #[non_exhaustive]
        pub enum $typed<'a> {
            $($variant(<$kind as $crate::wire::kind::Kind<'a>>::Value),)*
            /// Any other, as it stands.
            Other($crate::wire::attr::Attribute<'a>),
        }

        impl<'a> From<$crate::wire::attr::Attribute<'a>> for $typed<'a> {
            fn from(attribute: $crate::wire::attr::Attribute<'a>) -> Self {
                use $crate::wire::kind::Kind;
                match attribute.number() {
                    $($number => match <$kind as Kind<'a>>::read(attribute.payload, attribute.is_marked()) {
                        Some(value)
                            if <$kind as Kind<'a>>::size(&value) == attribute.payload.len()
                                && attribute.kind == $number | <$kind as Kind<'a>>::flags(&value) =>
                        {
                            Self::$variant(value)
                        }
                        _ => Self::Other(attribute),
                    },)*
                    _ => Self::Other(attribute),
                }
            }
        }

        impl netlink_packet_core::Nla for $typed<'_> {
            fn value_len(&self) -> usize {
                match self {
                    $(Self::$variant(value) => <$kind as $crate::wire::kind::Kind<'_>>::size(value),)*
                    Self::Other(attribute) => attribute.value_len(),
                }
            }

            fn kind(&self) -> u16 {
                match self {
                    $(Self::$variant(value) => $number | <$kind as $crate::wire::kind::Kind<'_>>::flags(value),)*
                    Self::Other(attribute) => attribute.kind,
                }
            }

            fn emit_value(&self, buffer: &mut [u8]) {
                match self {
                    $(Self::$variant(value) => <$kind as $crate::wire::kind::Kind<'_>>::write(value, buffer),)*
                    Self::Other(attribute) => attribute.emit_value(buffer),
                }
            }
        }
    };

    (@model $model:ident $set:ident $fill:ident $fields:ident, $type:ty, {
        $($number:ident = $value:literal: $kind:ty => $field:ident / $variant:ident, since $since:literal
            $(, $root:ident($($path:tt)+))?;)*
    }) => {
        impl<'a> $fields<'a> {
            /// Takes what the model has.
            #[inline(always)]
            fn $set(&mut self, model: &'a $type) {
                $($(attributes!(@set $model self model $field $root $($path)+);)?)*
            }

            /// Gives the model what is there.
            #[inline(always)]
            fn $fill(&self, model: &mut $type) {
                $($(attributes!(@fill $model self model $field $root $($path)+);)?)*
            }
        }
    };

    (@set config $fields:ident $from:ident $field:ident config $($path:tt)+) => {
        $fields.$field = $crate::wire::kind::Field::encode(&$from.$($path)+);
    };
    (@set state $fields:ident $from:ident $field:ident state $($path:tt)+) => {
        $fields.$field = $crate::wire::kind::Field::encode(&$from.$($path)+);
    };
    (@fill config $fields:ident $to:ident $field:ident config $($path:tt)+) => {
        if let Some(value) = $fields.$field {
            $to.$($path)+ = $crate::wire::kind::Field::decode(value);
        }
    };
    (@fill state $fields:ident $to:ident $field:ident state $($path:tt)+) => {
        if let Some(value) = $fields.$field {
            $to.$($path)+ = $crate::wire::kind::Field::decode(value);
        }
    };
    (@$any:ident $wanted:ident $fields:ident $model:ident $field:ident $other:ident $($path:tt)+) => {};
}

pub(crate) use attributes;
