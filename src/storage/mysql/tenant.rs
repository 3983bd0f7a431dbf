//! A tenant as it is sent, which may be empty. A session of MariaDB may take an empty text for NULL (sql_mode
//! EMPTY_STRING_IS_NULL), but no text that is written in hexadecimal digits.

macro_rules! tenant {
    () => {
        "/*M! COALESCE( */ ? /*M! , _utf8mb4 X'') */"
    };
}

pub(super) use tenant;
