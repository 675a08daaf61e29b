//! The Linux Virtual Server (IPVS) as a typed library.
