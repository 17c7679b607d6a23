// gzip (RFC 1952) as a stream with an end: chunks in, plain bytes out to a sink, never more than a limit.
//
// Several members in a row are one content. What comes after the last one is refused, as is a sum that is wrong.
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

    // Error: the sink's, or that this is no gzip.
    Result<void> feed(std::span<const std::uint8_t> bytes);
    // The content ended where a member ends.
    [[nodiscard]] bool is_whole() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace steer::fetch
