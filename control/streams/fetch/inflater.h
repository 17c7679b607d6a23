// Decompresses gzip (RFC 1952) as a stream: chunks in, plain bytes to a sink, never more than a
// limit.
//
// Several members in sequence are one content. Bytes after the last member, and wrong checksums,
// are errors.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "matchers/result.h"

namespace steer::fetch {

class Inflater {
  public:
    using Sink = std::function<Result<void>(std::span<const std::uint8_t>)>;

    explicit Inflater(Sink sink);
    ~Inflater();
    Inflater(const Inflater&) = delete;
    Inflater& operator=(const Inflater&) = delete;

    // Error: from the sink, or the bytes are not gzip.
    Result<void> feed(std::span<const std::uint8_t> bytes);
    // Whether the content has ended at the end of a member.
    [[nodiscard]] bool is_whole() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace steer::fetch
