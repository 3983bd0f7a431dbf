//! What the macro says to a mistake: each message shows the correct form. `TRYBUILD=overwrite` writes the
//! expectations anew.

#[test]
fn each_mistake_has_a_message_with_the_correct_form() {
    trybuild::TestCases::new().compile_fail("tests/messages/*.rs");
}
