use std::error::Error;
use std::ops::Range;
use std::path::Path;

use plotters::coord::ranged1d::{AsRangedCoord, ValueFormatter};
use plotters::prelude::*;

/// Lines over a logarithmic axis.
pub struct Plot {
    pub title: String,
    pub x: &'static str,
    pub y: &'static str,
    pub scale: Scale,
    /// A corner without lines.
    pub legend: SeriesLabelPosition,
    pub series: Vec<(String, Points)>,
}

pub type Points = Vec<(f64, f64)>;

pub enum Scale {
    /// From 0.
    Linear,
    Logarithmic,
}

/// Also distinct for readers who do not see colours well.
const COLORS: [RGBColor; 4] =
    [RGBColor(0, 114, 178), RGBColor(213, 94, 0), RGBColor(0, 158, 115), RGBColor(204, 121, 167)];

impl Plot {
    pub fn draw(&self, file: &Path) -> Result<(), Box<dyn Error>> {
        let (low, high) = self.range(|point| point.1);
        match self.scale {
            Scale::Linear => self.draw_over(file, 0.0..high * 1.1),
            Scale::Logarithmic => self.draw_over(file, (low * 0.7..high * 1.5).log_scale()),
        }
    }

    fn draw_over<Y>(&self, file: &Path, y: Y) -> Result<(), Box<dyn Error>>
    where
        Y: AsRangedCoord<Value = f64>,
        Y::CoordDescType: ValueFormatter<f64>,
    {
        let area = SVGBackend::new(file, (800, 480)).into_drawing_area();
        area.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&area)
            .caption(&self.title, ("sans-serif", 18))
            .margin(15)
            .margin_right(40)
            .x_label_area_size(45)
            .y_label_area_size(75)
            .build_cartesian_2d(self.x_range().log_scale(), y)?;
        chart
            .configure_mesh()
            .x_desc(self.x)
            .y_desc(self.y)
            .x_label_formatter(&|value| grouped(*value))
            .y_label_formatter(&|value| grouped(*value))
            .light_line_style(TRANSPARENT)
            .draw()?;
        for ((name, points), color) in self.series.iter().zip(COLORS) {
            chart
                .draw_series(LineSeries::new(points.iter().copied(), color.stroke_width(2)).point_size(3))?
                .label(name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], color.stroke_width(2)));
        }
        let mut legend = chart.configure_series_labels();
        legend.position(self.legend.clone()).background_style(WHITE).border_style(BLACK).draw()?;
        Ok(area.present()?)
    }

    fn x_range(&self) -> Range<f64> {
        let (low, high) = self.range(|point| point.0);
        low * 0.9..high * 1.1
    }

    fn range(&self, of: impl Fn(&(f64, f64)) -> f64) -> (f64, f64) {
        let all = self.series.iter().flat_map(|(_, points)| points).map(of);
        all.fold((f64::INFINITY, 0.0), |(low, high), value| (low.min(value), high.max(value)))
    }
}

/// Whole numbers with a comma every three digits; small numbers as they are.
fn grouped(value: f64) -> String {
    if value < 10.0 {
        return format!("{value}");
    }
    let digits = format!("{value:.0}");
    let groups: Vec<_> =
        digits.as_bytes().rchunks(3).rev().map(|group| String::from_utf8_lossy(group).into_owned()).collect();
    groups.join(",")
}
