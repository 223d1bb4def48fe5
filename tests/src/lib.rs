//! Cross-backend tests of burn-relax.
