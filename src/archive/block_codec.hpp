// Compression of a snapshot's blocks, by libraries (igzip or libdeflate for gzip, libzstd). Pure.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "dynabackup/settings.hpp"

namespace dynabackup::archive {

/// A block's lines are never more: what a manifest can make us allocate at once.
inline constexpr std::size_t max_block_bytes = std::size_t{64} << 20;

/// Which library writes gzip: igzip where it was built in, else libdeflate.
enum class gzip_library { fastest, libdeflate };

/// Compresses `raw` into one independent gzip member or zstd frame (or copies it), appended to `out`. Reusable scratch.
class block_writer {
 public:
  explicit block_writer(compression codec, gzip_library library = gzip_library::fastest);
  block_writer(block_writer&&) noexcept;
  block_writer& operator=(block_writer&&) noexcept;
  ~block_writer();
  /// At most max_block_bytes; std::length_error for more. Should it throw, `out` is as it was.
  void append(std::string_view raw, std::string& out);
  /// An upper bound of what append adds, so that memory can be charged before.
  [[nodiscard]] std::size_t bound(std::size_t raw_bytes) const;

 private:
  struct state;
  std::unique_ptr<state> state_;
};

/// Unpacks one whole block to exactly `raw_size` bytes (plus padding capacity). format_error: damaged, or another size.
std::string read_block(compression codec, std::string_view bytes, std::uint64_t raw_size);

/// By magic: 1f 8b, 28 b5 2f fd, else none.
compression sniff(std::string_view first_bytes);

/// Streaming, for files that are not ours: any gzip (members joined) or zstd (frames joined), in chunks of any size.
class stream_reader {
 public:
  explicit stream_reader(compression codec);
  stream_reader(stream_reader&&) noexcept;
  stream_reader& operator=(stream_reader&&) noexcept;
  ~stream_reader();
  /// Decodes some of `input`, appending at most `max_out` bytes to `out`; returns how much input was used.
  /// Call again with the rest until it is empty: the last byte counts as used only when all it stands for is in `out`.
  /// format_error: damaged, something else behind the last member or frame (zero padding is allowed behind gzip), or a
  /// zstd window of more than 128 MiB.
  std::size_t read(std::string_view input, std::string& out, std::size_t max_out);
  /// format_error when the data ended inside a member or frame, or before the first one ("truncated").
  void finish() const;

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace dynabackup::archive
