/// Who has the partitions of a projection that has moved along with its log.
pub(super) const OWNER: &str = "moved to another database";
