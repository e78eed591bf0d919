/// Goes from each number of a request to the next and reads its times and its value, without a look at anything else: what reading
/// the bytes once costs at the least. The sum of what it read.
pub fn numbers(request: &[u8]) -> u64 {
    let mut sum = 0;
    for resource in messages(request, &[1]) {
        for scope in messages(resource, &[2]) {
            for metric in messages(scope, &[2]) {
                for data in messages(metric, &[5, 7]) {
                    for point in messages(data, &[1]) {
                        sum = number(point, sum);
                    }
                }
            }
        }
    }
    sum
}

fn number(point: &[u8], mut sum: u64) -> u64 {
    let mut rest = point;
    while let [key, behind @ ..] = rest {
        rest = match key & 7 {
            1 => {
                let (value, behind) = behind.split_first_chunk().expect("eight bytes are a number");
                sum = sum.wrapping_add(u64::from_le_bytes(*value));
                behind
            }
            _ => delimited(behind).1,
        };
    }
    sum
}

/// The messages in the fields of these numbers.
fn messages<'a>(message: &'a [u8], numbers: &'static [u8]) -> impl Iterator<Item = &'a [u8]> {
    let mut rest = message;
    std::iter::from_fn(move || {
        while let [key, behind @ ..] = rest {
            if key & 7 == 0 {
                let end = behind.iter().position(|byte| *byte < 0x80).expect("a varint ends");
                rest = &behind[end + 1..];
                continue;
            }
            let (payload, behind) = delimited(behind);
            rest = behind;
            if numbers.contains(&(key >> 3)) {
                return Some(payload);
            }
        }
        None
    })
}

fn delimited(bytes: &[u8]) -> (&[u8], &[u8]) {
    let (mut length, mut at) = (0, 0);
    loop {
        length |= usize::from(bytes[at] & 0x7F) << (7 * at);
        at += 1;
        if bytes[at - 1] < 0x80 {
            return bytes[at..].split_at(length);
        }
    }
}
