use std::f64::consts::TAU;

use rand::Rng;

/// A service that behaves like one.
#[derive(Clone, Debug)]
pub(super) struct Service {
    pub(super) namespace: &'static str,
    pub(super) name: &'static str,
    pub(super) instance: &'static str,
    pub(super) version: &'static str,
    pub(super) endpoints: &'static [Endpoint],
    /// Seconds between its incidents; 0 for a service that has none.
    incident_every: f64,
    queue: f64,
    /// What is left of a request when the rate is no whole number a tick.
    owed: Vec<f64>,
}

/// One endpoint, in quiet times.
#[derive(Debug)]
pub(super) struct Endpoint {
    pub(super) method: &'static str,
    pub(super) route: &'static str,
    /// Requests a second.
    rate: f64,
    /// Median seconds.
    latency: f64,
    /// The share of answers with 500 or 503.
    errors: f64,
}

/// What happens in one tick.
#[derive(Debug, Default)]
pub(super) struct Moment {
    pub(super) requests: Vec<Request>,
    /// Jobs that came minus jobs that were done.
    pub(super) queue_change: i64,
    /// From 0 to 1.
    pub(super) cache_hits: f64,
}

/// One request that was answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request {
    pub(super) endpoint: &'static Endpoint,
    pub(super) status: u16,
    pub(super) seconds: f64,
}

const fn endpoint(method: &'static str, route: &'static str, rate: f64, latency: f64, errors: f64) -> Endpoint {
    Endpoint {
        method,
        route,
        rate,
        latency,
        errors,
    }
}

static CHECKOUT: [Endpoint; 3] = [
    endpoint("POST", "/api/v1/orders", 3.0, 0.120, 0.004),
    endpoint("GET", "/api/v1/orders/{id}", 9.0, 0.018, 0.001),
    endpoint("POST", "/api/v1/payments", 2.0, 0.310, 0.010),
];
static CATALOGUE: [Endpoint; 3] = [
    endpoint("GET", "/api/v1/products", 20.0, 0.030, 0.001),
    endpoint("GET", "/api/v1/products/{id}", 30.0, 0.008, 0.0005),
    endpoint("GET", "/api/v1/search", 6.0, 0.090, 0.002),
];
static LOGIN: [Endpoint; 2] = [
    endpoint("POST", "/login", 4.0, 0.060, 0.002),
    endpoint("GET", "/session", 15.0, 0.004, 0.0002),
];
static WORKER: [Endpoint; 1] = [endpoint("POST", "/jobs", 5.0, 0.200, 0.005)];

/// The services of the demo; one of them runs twice.
pub(super) fn all() -> Vec<Service> {
    let service = |namespace, name, instance, version, endpoints: &'static [Endpoint], incident_every| Service {
        namespace,
        name,
        instance,
        version,
        endpoints,
        incident_every,
        queue: 0.0,
        owed: vec![0.0; endpoints.len()],
    };
    vec![
        service("shop", "checkout", "checkout-1", "2.3.1", &CHECKOUT, 240.0),
        service("shop", "catalogue", "catalogue-1", "1.9.0", &CATALOGUE, 0.0),
        service("shop", "catalogue", "catalogue-2", "1.9.0", &CATALOGUE, 0.0),
        service("", "login", "login-1", "0.7.4", &LOGIN, 420.0),
        service("batch", "worker", "worker-1", "5.0.2", &WORKER, 0.0),
    ]
}

impl Service {
    /// What happens in the `length` seconds from `now`, in seconds since the start. Load and latency go up and down slowly,
    /// and now and then there is an incident: slow answers, and many errors.
    pub(super) fn tick(&mut self, now: f64, length: f64, random: &mut impl Rng) -> Moment {
        let phase = self.instance.len() as f64 + self.endpoints.len() as f64;
        let load = 1.0 + 0.5 * (TAU * now / 300.0 + phase).sin();
        let trouble = self.is_in_trouble(now);
        let mut moment = Moment {
            cache_hits: 0.85 + 0.1 * (TAU * now / 180.0 + phase).cos(),
            ..Moment::default()
        };
        for (endpoint, owed) in self.endpoints.iter().zip(&mut self.owed) {
            *owed += endpoint.rate * load * length * random.random_range(0.5..1.5);
            while *owed >= 1.0 {
                *owed -= 1.0;
                moment.requests.push(endpoint.answer(trouble, random));
            }
        }
        let before = self.queue as i64;
        let arriving = if trouble { 6.0 } else { 1.0 } * length;
        self.queue = (self.queue + arriving - length * random.random_range(0.0..3.0)).max(0.0);
        moment.queue_change = self.queue as i64 - before;
        moment
    }

    /// The first 45 seconds of each period but the first.
    fn is_in_trouble(&self, now: f64) -> bool {
        self.incident_every > 0.0 && now >= self.incident_every && now % self.incident_every < 45.0
    }
}

impl Endpoint {
    fn answer(&'static self, trouble: bool, random: &mut impl Rng) -> Request {
        let (slower, errors) = if trouble { (4.0, 0.25) } else { (1.0, self.errors) };
        // Skewed as real latencies are: most near the median, a few far above it.
        let spread: f64 = random.random_range(0.0f64..1.0).max(1e-9).ln() * -0.6;
        let seconds = self.latency * slower * (0.4 + spread);
        let chance: f64 = random.random_range(0.0..1.0);
        let status = match chance {
            chance if chance < errors * 0.7 => 500,
            chance if chance < errors => 503,
            chance if chance < errors + 0.02 => 404,
            _ if self.method == "POST" => 201,
            _ => 200,
        };
        Request {
            endpoint: self,
            status,
            seconds,
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::SmallRng;

    use super::*;

    /// Requests and errors of a service between two times.
    fn play(mut service: Service, from: u32, to: u32) -> (usize, usize) {
        let mut random = SmallRng::seed_from_u64(1);
        let requests: Vec<Request> = (from * 10..to * 10)
            .flat_map(|tick| service.tick(f64::from(tick) / 10.0, 0.1, &mut random).requests)
            .collect();
        assert!(
            requests
                .iter()
                .all(|request| request.seconds > 0.0 && request.seconds < 60.0)
        );
        (
            requests.len(),
            requests.iter().filter(|request| request.status >= 500).count(),
        )
    }

    #[test]
    fn load_is_about_what_the_endpoints_say() {
        for service in all() {
            let wanted: f64 = service.endpoints.iter().map(|endpoint| endpoint.rate).sum::<f64>() * 300.0;
            let (requests, _) = play(service, 0, 300);
            assert!(
                (0.8..1.2).contains(&(requests as f64 / wanted)),
                "{requests} of {wanted}"
            );
        }
    }

    #[test]
    fn an_incident_shows_in_the_errors_and_ends() {
        let checkout = all().remove(0);
        let share = |(requests, errors): (usize, usize)| errors as f64 / requests as f64;
        assert!(share(play(checkout.clone(), 0, 200)) < 0.02);
        assert!(share(play(checkout.clone(), 240, 285)) > 0.15);
        assert!(share(play(checkout, 290, 400)) < 0.02);
    }
}
