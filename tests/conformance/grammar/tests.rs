//! Each grammar takes what is right, and none of what fails a scrape somewhere.

use super::check;
use crate::harness::{OM, OM2, T4};
use meterbridge::exposition::Format;

#[track_caller]
fn all(format: Format, right: &[&str], wrong: &[&str]) {
    let end = if format.syntax == T4.syntax { "" } else { "# EOF\n" };
    for text in right {
        assert_eq!(check(format, format!("{text}{end}").as_bytes()), Ok(()), "{text}");
    }
    for text in wrong {
        assert!(check(format, format!("{text}{end}").as_bytes()).is_err(), "{text}");
    }
    if !end.is_empty() {
        for text in ["", "# TYPE a gauge\na 1\n", "# EOF", "# EOF\n\n", "# EOF\n# EOF\n"] {
            assert!(check(format, text.as_bytes()).is_err(), "{text}");
        }
    }
}

#[test]
fn text_0_0_4() {
    all(
        T4,
        &[
            "",
            "# HELP a b\\n\\\\\n# TYPE a gauge\na 1\na{b=\"x\\\"\\\\\\n}, =\",instance=\"\"} -2.5e+07\n",
            "# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum NaN\nh_count 2\n",
            "# TYPE s summary\ns{quantile=\"0.5\"} NaN\ns_sum 1\ns_count 2\n",
        ],
        &[
            "a 1\n",
            "# TYPE a gauge\na 1",
            "# TYPE a gauge\n\na 1\n",
            "# TYPE a gauge\nb 1\n",
            "# TYPE a gauge\na 1\na 2\n",
            "# TYPE a gauge\na inf\n",
            "# TYPE a gauge\na  1\n",
            "# TYPE a gauge\na 1 \n",
            "# TYPE a gauge\r\na 1\n",
            "# TYPE a info\na 1\n",
            "# TYPE a unknown\na 1\n",
            "# TYPE a.b gauge\na.b 1\n",
            "# TYPE a gauge\na{b=\"1\",b=\"2\"} 1\n",
            "# TYPE a gauge\na{b.c=\"1\"} 1\n",
            "# TYPE a gauge\na{__b=\"1\"} 1\n",
            "# TYPE a gauge\na{b=\"\\x\"} 1\n",
            "# TYPE a gauge\na{b=\"\"c\"} 1\n",
            "# TYPE a gauge\na 1 # {} 1\n",
            "# HELP a \\x\n# TYPE a gauge\na 1\n",
            "# TYPE a gauge\na 1\n# TYPE b gauge\nb 1\n# TYPE a gauge\na{c=\"1\"} 1\n",
            "# TYPE a counter\na -1\n",
            "# TYPE a counter\na NaN\n",
            "# TYPE _total counter\n_total 1\n",
            "# TYPE h histogram\nh_bucket{le=\"1\"} 2\nh_count 2\n",
            "# TYPE h histogram\nh_bucket{le=\"1\"} 3\nh_bucket{le=\"+Inf\"} 2\nh_count 2\n",
            "# TYPE h histogram\nh_bucket{le=\"2\"} 1\nh_bucket{le=\"1\"} 2\nh_bucket{le=\"+Inf\"} 2\nh_count 2\n",
            "# TYPE h histogram\nh_bucket{le=\"+Inf\"} 2\nh_count 3\n",
        ],
    );
}

#[test]
fn openmetrics_1_0() {
    all(
        OM,
        &[
            "",
            "# TYPE a_bytes counter\n# UNIT a_bytes bytes\n# HELP a_bytes \\\"\na_bytes_total 1 # {x=\"y\"} 1 2.5\n",
            "# TYPE \"a.b\" gauge\n{\"a.b\",\"c.d\"=\"e\"} 1\n",
            "# TYPE h histogram\nh_bucket{le=\"1.0\"} 1 # {} 0.5\nh_bucket{le=\"+Inf\"} 2\nh_count 2\nh_sum 1\n",
            "# TYPE b info\nb_info{c=\"d\"} 1\n",
        ],
        &[
            "# TYPE a untyped\na 1\n",
            "# TYPE a counter\na 1\n",
            "# TYPE a gauge\n# UNIT a bytes\na 1\n",
            "# TYPE a gauge\na 1 # {} 1\n",
            "# TYPE a counter\na_total 1 # {b.c=\"1\"} 1\n",
            "# TYPE a counter\na_total 1 # {b=\"\0\"} 1\n",
            "# TYPE b info\nb_info 2\n",
            "# TYPE s stateset\ns{t=\"x\"} 1\n",
            "# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2\n",
            "# TYPE h histogram\nh_bucket{le=\"+Inf\"} 2\nh_count 2\n",
            "# TYPE h histogram\nh_bucket{le=\"-1.0\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_count 2\nh_sum 1\n",
            "# TYPE a gauge\na 1\n\n",
        ],
    );
}

#[test]
fn openmetrics_2_0() {
    all(
        OM2,
        &[
            "",
            "# TYPE a_total counter\na_total 1 st@5 # {} 1 2 # {} 1 3\n",
            "# TYPE h histogram\nh {count:2,sum:NaN,bucket:[1.0:1,+Inf:2]} st@1.5\n",
            "# TYPE e histogram\ne {count:2,sum:1,schema:0,zero_threshold:1e-128,zero_count:1,positive_spans:[1:1],\
             positive_buckets:[1],bucket:[0.0:1,1.0:1,2.0:2,+Inf:2]}\n",
            "# TYPE s summary\ns {count:2,sum:4,quantile:[]}\n",
        ],
        &[
            "# TYPE a gauge\na 1 st@5\n",
            "# TYPE a_total counter\na_total 1 # {} 1\n",
            "# TYPE h histogram\nh {count:3,sum:1,bucket:[1.0:1,+Inf:2]}\n",
            "# TYPE h histogram\nh {count:2,sum:1,bucket:[1.0:1]}\n",
            "# TYPE h histogram\nh {count:2,sum:1,bucket:[2.0:1,1.0:1,+Inf:2]}\n",
            "# TYPE h histogram\nh {count:2, sum:1,bucket:[+Inf:2]}\n",
            "# TYPE e histogram\ne {count:3,sum:1,schema:0,zero_threshold:1e-128,zero_count:1,positive_spans:[1:1],\
             positive_buckets:[1],bucket:[0.0:1,1.0:1,2.0:2,+Inf:3]}\n",
            "# TYPE e histogram\ne {count:1,sum:1,schema:9,zero_threshold:1e-128,zero_count:1,bucket:[0.0:1,+Inf:1]}\n",
            "# TYPE s summary\ns {count:2,sum:-4,quantile:[]}\n",
            "# TYPE b info\nb 1\n",
        ],
    );
}
