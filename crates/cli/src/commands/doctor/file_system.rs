use std::fs;
use std::path::Path;

/// Where locks, or memory that processes share, do not reach every machine, or not reliably.
const NETWORK: [&str; 19] = [
    "9p",
    "afs",
    "beegfs",
    "ceph",
    "cifs",
    "davfs",
    "fuse.ceph",
    "fuse.davfs2",
    "fuse.glusterfs",
    "fuse.rclone",
    "fuse.s3fs",
    "fuse.sshfs",
    "glusterfs",
    "lustre",
    "ncpfs",
    "nfs",
    "nfs4",
    "smb3",
    "smbfs",
];

/// The kind of the network file system that a file is on. Only Linux tells.
pub fn network_file_system(file: &Path) -> Option<String> {
    let mounts = fs::read_to_string("/proc/mounts").ok()?;
    let kind = kind(file, &mounts)?;
    NETWORK.contains(&kind).then(|| kind.to_owned())
}

/// Whether files can be made in a folder. The one that is tried has no name, and is gone at once.
pub fn can_be_filled(folder: &Path) -> bool {
    tempfile::tempfile_in(folder).is_ok()
}

/// That of the innermost mount; of several in one place it is the last.
fn kind<'m>(file: &Path, mounts: &'m str) -> Option<&'m str> {
    let mut found = (0, None);
    for line in mounts.lines() {
        let mut fields = line.split(' ').skip(1);
        let (Some(place), Some(kind)) = (fields.next(), fields.next()) else { continue };
        // So it writes spaces.
        let place = place.replace(r"\040", " ");
        if file.starts_with(&place) && place.len() >= found.0 {
            found = (place.len(), Some(kind));
        }
    }
    found.1
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "/dev/sda1 / ext4 rw 0 0\n\
        tmpfs /tmp tmpfs rw 0 0\n\
        server:/shops /srv/shops nfs4 rw 0 0\n\
        /dev/sdb1 /srv/shops/local ext4 rw 0 0\n\
        //server/share /srv/two\\040words cifs rw 0 0\n";

    #[test]
    fn the_innermost_mount_counts() {
        let kind = |file: &str| kind(Path::new(file), MOUNTS);
        assert_eq!(kind("/home/shop.db"), Some("ext4"));
        assert_eq!(kind("/tmp/shop.db"), Some("tmpfs"));
        assert_eq!(kind("/srv/shops/shop.db"), Some("nfs4"));
        assert_eq!(kind("/srv/shops2/shop.db"), Some("ext4"));
        assert_eq!(kind("/srv/shops/local/shop.db"), Some("ext4"));
        assert_eq!(kind("/srv/two words/shop.db"), Some("cifs"));
        assert_eq!(super::kind(Path::new("/shop.db"), ""), None);
    }

    #[test]
    fn the_folder_of_the_machine_is_no_network() {
        assert_eq!(network_file_system(Path::new("/proc/shop.db")), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_folder_that_takes_no_files_is_found() {
        assert!(can_be_filled(&std::env::temp_dir()));
        assert!(!can_be_filled(Path::new("/proc")));
    }
}
