//! The macro that declares queries.

/// Declares queries. For each `KIND fn name(K) -> V = provider;` there will be
///
/// * `fn name<'db>(db: &'db dyn Db, key: K) -> &'db V`, the query;
/// * `fp::name(db, key) -> Fingerprint`, which brings the query up to date and records that its
///   result matters, without loading the result;
/// * `node::name(key) -> Node`, its name for the driver;
///
/// and all of them are listed in the group, from which a [`Registry`](crate::Registry) is made.
/// `KIND` is `input` (with a second function, for the stamp), `transient`, `relay`, `inline` or `stored`;
/// see [`Kind`](crate::Kind). Keys and values are public types, of a module that is one's own alone
/// if need be. There is one group in a module.
#[macro_export]
macro_rules! queries {
    (
        $(#[$group_meta:meta])* $vis:vis static $group:ident;
        $(
            $(#[$meta:meta])*
            $kind:ident fn $name:ident($K:ty) -> $V:ty = $run:path $(, $stamp:path)?;
        )*
    ) => {
        $(#[$group_meta])*
        $vis static $group: $crate::Group =
            $crate::Group(&[$($crate::Query::$kind::<provide::$name>()),*]);

        $(
            $(#[$meta])*
            $vis fn $name<'db>(db: &'db dyn $crate::Db, key: $K) -> &'db $V {
                $crate::get::<provide::$name>(db, &key)
            }
            impl $crate::Provider for provide::$name {
                type Key = $K;
                type Value = $V;
                const NAME: &'static str = stringify!($name);
                fn run(db: &dyn $crate::Db, key: &$K) -> $V {
                    $run(db, key)
                }
            }
            $(
                impl $crate::InputProvider for provide::$name {
                    fn stamp(db: &dyn $crate::Db, key: &$K) -> $crate::Stamp {
                        $stamp(db, key)
                    }
                }
            )?
        )*

        /// The queries as types.
        #[doc(hidden)]
        #[allow(non_camel_case_types, reason = "a query and its type have one name")]
        $vis mod provide {
            $(
                #[doc = concat!("The query `", stringify!($name), "`.")]
                pub enum $name {}
            )*
        }

        /// Fingerprints of results, without the results.
        #[allow(dead_code, reason = "not every query is asked for its fingerprint")]
        $vis mod fp {
            $(
                #[doc = concat!("The fingerprint of the result of `", stringify!($name), "`.")]
                pub fn $name(
                    db: &dyn $crate::Db,
                    key: <super::provide::$name as $crate::Provider>::Key,
                ) -> $crate::Fingerprint {
                    $crate::fingerprint_of::<super::provide::$name>(db, &key)
                }
            )*
        }

        /// Names of nodes.
        #[allow(dead_code, reason = "not every node is named by a driver")]
        $vis mod node {
            $(
                #[doc = concat!("The node of `", stringify!($name), "`.")]
                pub fn $name(
                    key: <super::provide::$name as $crate::Provider>::Key,
                ) -> $crate::Node {
                    $crate::Node::of::<super::provide::$name>(&key)
                }
            )*
        }
    };
}
