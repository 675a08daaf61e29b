//! Makes what the machine boots out of an unpacked kernel package: the kernel itself and the
//! initramfs.

use super::cpio::Archive;
use crate::error::{Context, Error, Result};
use crate::host;
use fs_err as fs;
use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Modules put into the initramfs, with all that they depend on; the kernel loads them on demand. A
/// name that ends in `*` stands for all that begin so.
const MODULES: &str = "ip_vs* xt_* x_tables ip_tables ip6_tables iptable_* ip6table_* ipt_* ip6t_* ip_set* nf_* nft_* \
    nfnetlink* dummy veth bridge br_netfilter macvlan macvtap ipvlan vrf ifb tun bonding 8021q vxlan geneve ipip sit \
    tunnel4 tunnel6 ip_tunnel gre ip_gre ip6_gre fou fou6 ip6_tunnel ip6_udp_tunnel udp_tunnel ipv6 sch_* cls_* act_* \
    sctp *_diag nlmon libcrc32c crc32c* virtio* 9p 9pnet 9pnet_virtio netfs fscache overlay";

/// The kernel without its own decompressor: QEMU starts such an ELF file directly (PVH), which
/// saves the BIOS and the unpacking under emulation. Answers false, having copied the image as it
/// is, if there is none inside.
pub(crate) fn extract_kernel(image: &Path, to: &Path) -> Result<bool> {
    let bytes = fs::read(image)?;
    let packers: [(&[u8], &str); 3] = [(b"\x28\xb5\x2f\xfd", "zstd"), (b"\xfd7zXZ\0", "xz"), (b"\x1f\x8b\x08", "gzip")];
    for (magic, program) in packers {
        for at in bytes.windows(magic.len()).enumerate().filter(|(_, w)| *w == magic).map(|(i, _)| i) {
            let mut from = File::open(image)?;
            from.seek(SeekFrom::Start(at as u64))?;
            // What follows the packed kernel makes the program complain and fail after having
            // written all of it.
            let unpacked = Command::new(program)
                .arg("-dc")
                .stdin(from)
                .stderr(Stdio::null())
                .output()
                .context(|| format!("cannot run {program}"))?;
            if unpacked.stdout.starts_with(b"\x7fELF") {
                fs::write(to, unpacked.stdout)?;
                return Ok(true);
            }
        }
    }
    fs::copy(image, to)?;
    Ok(false)
}

/// Writes the initramfs, all but `/init`, from the package's directory of modules. Answers how many
/// modules it holds.
pub(crate) fn write_initramfs(packaged: &Path, release: &str, scratch: &Path, to: &Path) -> Result<usize> {
    let all = scratch.join("all-modules");
    let modules = tree(&all, release)?;
    fs::rename(packaged, &modules)?;
    index(&all, release)?;
    let keep = with_dependencies(&fs::read_to_string(modules.join("modules.dep"))?);

    // A second tree holds what was chosen, unpacked, for depmod to index once more.
    let root = scratch.join("modules");
    let chosen = tree(&root, release)?;
    fs::create_dir(&chosen)?;
    let mut packed: HashMap<&str, Vec<PathBuf>> = HashMap::new();
    for path in &keep {
        let new = chosen.join(path);
        fs::create_dir_all(new.parent().unwrap_or(&chosen))?;
        fs::rename(modules.join(path), &new)?;
        match new.extension().and_then(|e| e.to_str()) {
            Some("xz") => packed.entry("xz").or_default().push(new),
            Some("zst") => packed.entry("zstd").or_default().push(new),
            _ => {}
        }
    }
    for (program, files) in packed {
        let quiet = if program == "zstd" { &["-d", "-q", "--rm"][..] } else { &["-d"] };
        host::capture(Command::new(program).args(quiet).args(files))?;
    }
    for name in ["modules.order", "modules.builtin", "modules.builtin.modinfo"] {
        if modules.join(name).exists() {
            fs::copy(modules.join(name), chosen.join(name))?;
        }
    }
    index(&root, release)?;

    let mut archive = Archive::new(BufWriter::new(File::create(to)?));
    for directory in ["bin", "sbin", "proc", "sys", "dev", "tmp", "lib", "lib/modules"] {
        archive.directory(directory)?;
    }
    let busybox = program("busybox")?;
    archive.file("bin/busybox", &fs::read(&busybox)?)?;
    let applets = host::capture(Command::new(&busybox).arg("--list"))?;
    for applet in String::from_utf8_lossy(&applets.stdout).lines().filter(|&a| a != "busybox") {
        archive.link(&format!("bin/{applet}"), "busybox")?;
    }
    // Where the kernel looks when it wants a module.
    archive.link("sbin/modprobe", "/bin/busybox")?;
    add_tree(&mut archive, &root, &format!("lib/modules/{release}"))?;
    archive.finish()?.flush()?;
    Ok(keep.len())
}

/// Makes a tree for depmod, and answers where the modules of a release belong in it.
fn tree(root: &Path, release: &str) -> Result<PathBuf> {
    fs::create_dir_all(root.join("lib/modules"))?;
    // Some releases of depmod look in `usr/lib`.
    std::os::unix::fs::symlink(".", root.join("usr"))?;
    Ok(root.join("lib/modules").join(release))
}

fn index(root: &Path, release: &str) -> Result<()> {
    host::capture(Command::new(program("depmod")?).arg("-b").arg(root).arg(release)).map(drop)
}

fn add_tree<W: Write>(archive: &mut Archive<W>, root: &Path, path: &str) -> Result<()> {
    archive.directory(path)?;
    let mut entries: Vec<_> = fs::read_dir(root.join(path))?.collect::<std::io::Result<_>>()?;
    entries.sort_by_key(|entry| entry.file_name());
    for entry in entries {
        let name = entry.file_name();
        let name = name.to_str().context(|| format!("odd file name {name:?} in {path}"))?;
        let path = format!("{path}/{name}");
        if entry.file_type()?.is_dir() {
            add_tree(archive, root, &path)?;
        } else {
            archive.file(&path, &fs::read(entry.path())?)?;
        }
    }
    Ok(())
}

/// The initramfs that is booted: the prepared part, and the guest's first process.
pub(crate) fn add_init(base: &Path, init: &str, to: &Path) -> Result<()> {
    let mut bytes = fs::read(base)?;
    let mut archive = Archive::new(Vec::new());
    archive.file("init", init.as_bytes())?;
    bytes.extend(archive.finish()?);
    fs::write(to, bytes)?;
    Ok(())
}

fn program(name: &str) -> Result<PathBuf> {
    host::which(name).ok_or_else(|| Error::new(format!("this machine has no {name}")))
}

/// Paths of the wanted modules and of everything that these need, out of the text of `modules.dep`.
fn with_dependencies(modules_dep: &str) -> BTreeSet<String> {
    let needs: HashMap<&str, &str> = modules_dep.lines().filter_map(|line| line.split_once(':')).collect();
    let mut keep = BTreeSet::new();
    let mut open: Vec<&str> = needs.keys().copied().filter(|path| is_wanted(path)).collect();
    while let Some(path) = open.pop() {
        if keep.insert(path.to_owned()) {
            open.extend(needs.get(path).into_iter().flat_map(|n| n.split_whitespace()));
        }
    }
    keep
}

fn is_wanted(path: &str) -> bool {
    let file = path.rsplit('/').next().unwrap_or(path);
    let name = file.split(".ko").next().unwrap_or(file).replace('-', "_");
    MODULES.split_whitespace().any(|pattern| match (pattern.strip_suffix('*'), pattern.strip_prefix('*')) {
        (Some(start), _) => name.starts_with(start),
        (_, Some(end)) => name.ends_with(end),
        _ => name == pattern,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wanted_modules_bring_what_they_depend_on() {
        let text = "kernel/net/ip_vs_wrr.ko.xz: kernel/net/ip_vs.ko.xz kernel/net/nf_conntrack.ko.xz\n\
                    kernel/net/ip_vs.ko.xz: kernel/lib/crc.ko.xz\n\
                    kernel/lib/crc.ko.xz:\nkernel/net/nf_conntrack.ko.xz:\nkernel/sound/snd.ko.xz:\n";
        let keep = with_dependencies(text);
        assert_eq!(
            keep.iter().map(String::as_str).collect::<Vec<_>>(),
            [
                "kernel/lib/crc.ko.xz",
                "kernel/net/ip_vs.ko.xz",
                "kernel/net/ip_vs_wrr.ko.xz",
                "kernel/net/nf_conntrack.ko.xz"
            ]
        );
    }

    #[test]
    fn module_names_are_matched_as_the_kernel_spells_them() {
        for path in ["net/tcp_diag.ko", "net/nf-log-syslog.ko.zst", "net/fou.ko", "fs/9p/9p.ko.xz"] {
            assert!(is_wanted(path), "{path}");
        }
        for path in ["net/foul.ko", "sound/snd.ko", "net/my_ip_vs.ko"] {
            assert!(!is_wanted(path), "{path}");
        }
    }
}
