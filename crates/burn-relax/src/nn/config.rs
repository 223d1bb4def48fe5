/// Declares a `Config`: every field has a default and a `with_` builder.
///
/// Burn's derive reads a file with an unknown field as if the field were not there; here a misspelt name is an error, so
/// that no setting is lost silently.
macro_rules! config {
    (
        $(#[$doc:meta])*
        $name:ident {
            $($(#[$field_doc:meta])* $field:ident: $type:ty = $default:expr, $with:ident;)+
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $type,)+
        }

        impl $name {
            /// Every setting at its default.
            pub fn new() -> Self {
                Self { $($field: $default,)+ }
            }

            $(
                $(#[$field_doc])*
                #[must_use]
                pub fn $with(mut self, $field: $type) -> Self {
                    self.$field = $field;
                    self
                }
            )+
        }

        impl Default for $name {
            fn default() -> Self {
                Self::new()
            }
        }

        impl burn_core::config::Config for $name {}
    };
}

/// Displays a module on one line from its listed settings, those `in words` as they display themselves.
macro_rules! one_line_display {
    (@shown $value:expr) => {
        $value
    };
    (@shown $value:expr, words) => {
        format_args!("{}", $value)
    };
    ($name:ident { $($field:ident $(in $words:ident)?),+ }) => {
        impl burn_core::module::ModuleDisplay for $name {
            fn custom_settings(&self) -> Option<burn_core::module::DisplaySettings> {
                burn_core::module::DisplaySettings::new()
                    .with_new_line_after_attribute(false)
                    .optional()
            }

            fn custom_content(
                &self,
                content: burn_core::module::Content,
            ) -> Option<burn_core::module::Content> {
                content
                    $(.add_debug_attribute(
                        stringify!($field),
                        &$crate::nn::config::one_line_display!(@shown &self.$field $(, $words)?),
                    ))+
                    .optional()
            }
        }
    };
}

pub(super) use {config, one_line_display};
