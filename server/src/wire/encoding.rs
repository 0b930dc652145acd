//! Answers made smaller on their way, as the client's `Accept-Encoding` allows: gzip and zstd, with flat memory.

use std::io::{self, Write};

use axum::http::{HeaderMap, header};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::stream::{Stream, StreamExt, unfold};
use henge_query::error::{QueryError, QueryErrorKind};

/// The fastest of each: a network that is slower than that gains most from the first halving.
const GZIP_LEVEL: Compression = Compression::fast();
const ZSTD_LEVEL: i32 = 1;

/// How the bytes of an answer are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    Gzip,
    Zstd,
}

impl Encoding {
    /// The one that the client likes best; zstd where it likes both alike. `None` is the bytes as they are.
    pub fn accepted(headers: &HeaderMap) -> Option<Self> {
        let values = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
        let named = values.flat_map(|value| value.split(',')).filter_map(|item| {
            let (name, parameters) = item.split_once(';').unwrap_or((item, ""));
            let encoding = Self::of_name(name.trim())?;
            let weight = parameters.trim().strip_prefix("q=").map_or(Some(1.0), |text| text.trim().parse().ok())?;
            (weight > 0.0).then_some((encoding, weight))
        });
        let best = named.max_by(|(left, left_weight): &(Self, f64), (right, right_weight)| {
            let is_zstd = |encoding: &Self| *encoding == Self::Zstd;
            left_weight.total_cmp(right_weight).then(is_zstd(left).cmp(&is_zstd(right)))
        });
        best.map(|(encoding, _)| encoding)
    }

    fn of_name(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => Some(Self::Gzip),
            "zstd" => Some(Self::Zstd),
            _ => None,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }

    /// The same bytes packed, in pieces that are never empty. After an error there is no end mark.
    pub fn pack(
        self,
        pieces: impl Stream<Item = Result<Bytes, QueryError>> + Send + Unpin,
    ) -> impl Stream<Item = Result<Bytes, QueryError>> + Send {
        unfold(Some((pieces, Packer::new(self))), |state| async move {
            let (mut pieces, mut packer) = state?;
            loop {
                let packed = match pieces.next().await {
                    Some(Err(error)) => return Some((Err(error), None)),
                    Some(Ok(piece)) => packer.and_then(|packer| packer.take(&piece)),
                    None => return Some((packer.and_then(Packer::finish).map_err(|error| unpackable(&error)), None)),
                };
                match packed {
                    // What is packed is still in the packer's window.
                    Ok((bytes, rest)) if bytes.is_empty() => packer = Ok(rest),
                    Ok((bytes, rest)) => return Some((Ok(bytes), Some((pieces, Ok(rest))))),
                    Err(error) => return Some((Err(unpackable(&error)), None)),
                }
            }
        })
    }
}

enum Packer {
    Gzip(GzEncoder<Vec<u8>>),
    Zstd(zstd::stream::write::Encoder<'static, Vec<u8>>),
}

impl Packer {
    fn new(encoding: Encoding) -> io::Result<Self> {
        Ok(match encoding {
            Encoding::Gzip => Self::Gzip(GzEncoder::new(Vec::new(), GZIP_LEVEL)),
            Encoding::Zstd => Self::Zstd(zstd::stream::write::Encoder::new(Vec::new(), ZSTD_LEVEL)?),
        })
    }

    /// What is ready to be sent, maybe nothing yet.
    fn take(mut self, piece: &[u8]) -> io::Result<(Bytes, Self)> {
        let ready = match &mut self {
            Self::Gzip(encoder) => {
                encoder.write_all(piece)?;
                std::mem::take(encoder.get_mut())
            }
            Self::Zstd(encoder) => {
                encoder.write_all(piece)?;
                std::mem::take(encoder.get_mut())
            }
        };
        Ok((ready.into(), self))
    }

    fn finish(self) -> io::Result<Bytes> {
        match self {
            Self::Gzip(encoder) => encoder.finish(),
            Self::Zstd(encoder) => encoder.finish(),
        }
        .map(Bytes::from)
    }
}

fn unpackable(error: &io::Error) -> QueryError {
    QueryError::new(QueryErrorKind::Internal, format!("the answer cannot be packed: {error}"))
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;
    use futures::stream::iter;

    use super::*;

    #[test]
    fn the_client_chooses_how_answers_are_packed() {
        let cases = [
            ("", None),
            ("identity", None),
            ("br, deflate", None),
            ("gzip", Some(Encoding::Gzip)),
            ("gzip, deflate, br, zstd", Some(Encoding::Zstd)),
            ("zstd;q=0.5, GZIP;q=0.8", Some(Encoding::Gzip)),
            ("gzip;q=0", None),
            ("zstd; q=0, x-gzip", Some(Encoding::Gzip)),
            ("gzip;q=x", None),
        ];
        for (accepted, expected) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, accepted.parse().unwrap());
            assert_eq!(Encoding::accepted(&headers), expected, "{accepted}");
        }
        assert_eq!(Encoding::accepted(&HeaderMap::new()), None);
    }

    /// Text that packs badly.
    fn piece(seed: u64) -> Bytes {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        };
        (0..64 * 1_024).map(|_| next()).collect()
    }

    async fn packed(encoding: Encoding, pieces: Vec<Result<Bytes, QueryError>>) -> Vec<Result<Bytes, QueryError>> {
        encoding.pack(iter(pieces)).collect().await
    }

    fn unpacked(encoding: Encoding, bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut unpacked = Vec::new();
        match encoding {
            Encoding::Gzip => GzDecoder::new(bytes).read_to_end(&mut unpacked)?,
            Encoding::Zstd => zstd::stream::read::Decoder::new(bytes)?.read_to_end(&mut unpacked)?,
        };
        Ok(unpacked)
    }

    #[tokio::test]
    async fn what_is_packed_piece_by_piece_is_the_same_unpacked() {
        for encoding in [Encoding::Gzip, Encoding::Zstd] {
            let pieces: Vec<Bytes> = (0..20).map(piece).chain([Bytes::from_static(b"end\n")]).collect();
            let packed = packed(encoding, pieces.iter().cloned().map(Ok).collect()).await;
            let packed: Vec<Bytes> = packed.into_iter().collect::<Result<_, _>>().unwrap();
            assert!(packed.len() > 5 && packed.iter().all(|piece| !piece.is_empty()), "it is sent while it is made");
            assert_eq!(unpacked(encoding, &packed.concat()).unwrap(), pieces.concat());
        }
    }

    #[tokio::test]
    async fn what_broke_off_does_not_unpack_to_a_whole() {
        let failure = QueryError::new(QueryErrorKind::Internal, "the disk is gone");
        for encoding in [Encoding::Gzip, Encoding::Zstd] {
            let packed = packed(encoding, vec![Ok(piece(1)), Ok(piece(2)), Err(failure.clone())]).await;
            let (last, sent) = packed.split_last().unwrap();
            assert_eq!(last, &Err(failure.clone()));
            let sent: Vec<Bytes> = sent.iter().cloned().map(Result::unwrap).collect();
            assert!(unpacked(encoding, &sent.concat()).is_err());
        }
    }
}
