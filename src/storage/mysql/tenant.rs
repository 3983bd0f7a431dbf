//! A tenant as it is sent, which may be empty. A session of MariaDB may take an empty text for NULL (sql_mode
//! EMPTY_STRING_IS_NULL), but no text that is written in hexadecimal digits. What is made of two texts has the
//! collation of neither, and MariaDB from 11 on compares it with no column that has another.

macro_rules! tenant {
    () => {
        "/*M! COALESCE( */ ? /*M! , _utf8mb4 X'') COLLATE utf8mb4_nopad_bin */"
    };
}

pub(super) use tenant;
