#include "codec/codec.h"

#include "codec/bzip2.h"
#include "codec/gzip.h"

namespace barman::codec {

std::unique_ptr<stream::Filter> compressor(Compression kind, int level) {
  if (kind == Compression::kGzip) return gzip_compressor(level);
  if (kind == Compression::kBzip2) return bzip2_compressor(level);
  return nullptr;
}

std::unique_ptr<stream::Filter> decompressor(Compression kind) {
  if (kind == Compression::kGzip) return gzip_decompressor();
  if (kind == Compression::kBzip2) return bzip2_decompressor();
  return nullptr;
}

int medium_level(Compression kind) { return kind == Compression::kBzip2 ? 5 : 6; }

}  // namespace barman::codec
