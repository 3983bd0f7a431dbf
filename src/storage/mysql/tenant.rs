//! A tenant as it is sent, which may be empty. A session of MariaDB may take an empty text for NULL (sql_mode
//! EMPTY_STRING_IS_NULL), but no text that is written in hexadecimal digits. What is made of two texts of
//! different collations has that of neither, and is compared with no column. That of a session may be any, and
//! from MariaDB 11 on it is another one than that of the text here.

macro_rules! tenant {
    () => {
        "/*M! COALESCE( */ ? /*M! , _utf8mb4 X'') COLLATE utf8mb4_nopad_bin */"
    };
}

pub(super) use tenant;
