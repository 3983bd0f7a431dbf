use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;

use test_support::sqlite_file::SqliteFile;
use thirtyfour::prelude::*;
use thirtyfour::stringmatch::StringMatch;

use super::browser::Browse;
use super::chromium::{ChromeDriver, Screen, capabilities};
use super::shop::shop;

/// How long is waited for what has to come.
const LONG: Duration = Duration::from_secs(120);

/// A person in front of the log of a shop.
pub struct Visit {
    pub driver: WebDriver,
    pub browse: Browse,
    pub shop: SqliteFile,
}

/// Chromium ends with the test, also if that fails. It must have had nothing to complain about.
pub fn visit(screen: Screen, test: impl AsyncFnOnce(&mut Visit)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let shop = shop();
    let browse = Browse::of(&shop.path());
    let chrome_driver = ChromeDriver::start();
    let driver = runtime.block_on(WebDriver::new(&chrome_driver.url, capabilities(screen))).unwrap();
    let mut visit = Visit { driver: driver.clone(), browse, shop };
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        runtime.block_on(async {
            visit.driver.goto(visit.browse.address.as_str()).await.unwrap();
            test(&mut visit).await;
        });
    }));
    runtime.block_on(driver.quit()).unwrap();
    outcome.unwrap_or_else(|panic| resume_unwind(panic));
}

impl Visit {
    pub async fn open(&self, path: &str) {
        self.driver.goto(self.browse.url(path)).await.unwrap();
    }

    /// The first that is there, or comes.
    pub async fn first(&self, css: &str) -> WebElement {
        let query = self.driver.query(By::Css(css)).wait(LONG, Duration::from_millis(100));
        query.first().await.unwrap()
    }

    /// What a person reads in the first of these.
    pub async fn read(&self, css: &str) -> String {
        loop {
            match self.first(css).await.text().await {
                Ok(text) => return text,
                Err(error) => assert_was_replaced(&error),
            }
        }
    }

    pub async fn count(&self, css: &str) -> usize {
        self.driver.find_all(By::Css(css)).await.unwrap().len()
    }

    pub async fn click(&self, css: &str) {
        while let Err(error) = self.first(css).await.click().await {
            assert_was_replaced(&error);
        }
    }

    /// What leads to another page.
    pub async fn leave_by(&self, css: &str) {
        self.leave(async || self.click(css).await).await;
    }

    /// A link that says this.
    pub async fn follow(&self, text: &str) {
        let click = async || self.driver.find(By::LinkText(text)).await.unwrap().click().await.unwrap();
        self.leave(click).await;
    }

    /// The driver does not always wait until the next page is there.
    async fn leave(&self, click: impl AsyncFnOnce()) {
        let page = self.first("html").await;
        click().await;
        let left = async {
            while page.tag_name().await.is_ok() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(LONG, left).await.expect("the page is left");
    }

    pub async fn fill(&self, field: &str, text: &str) {
        let field = self.first(&format!("input[name={field}]")).await;
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// Until the first of these says it.
    pub async fn wait_for(&self, css: &str, text: &str) {
        let says_it = || StringMatch::new(text).partial();
        let query = || self.driver.query(By::Css(css)).wait(LONG, Duration::from_millis(100));
        while let Err(error) = query().with_text(says_it()).first().await {
            assert_was_replaced(&error);
        }
    }

    pub async fn heading(&self) -> String {
        self.read("h1").await
    }

    /// Such as a script that was forbidden, and a file that is missing.
    pub async fn assert_no_complaint(&self) {
        let complaints = self.driver.browser_log().await.unwrap();
        assert!(complaints.is_empty(), "{complaints:#?}");
    }
}

/// A page that stays fresh may replace what was just found; then it is looked for again.
fn assert_was_replaced(error: &WebDriverError) {
    assert!(format!("{error:?}").contains("StaleElementReference"), "{error}");
}
