// A response's content for the sink: decompressed if it is gzip, and counted.
//
// Passes at most the request's max_bytes to the sink, and accepts at most that number of compressed
// bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "control/streams/fetch/fetch.h"
#include "control/streams/fetch/inflater.h"

namespace steer::fetch {

class Content {
  public:
    // `request` and `sink` must outlive it.
    Content(const Request& request, const Sink& sink);

    // Content-Encoding and Content-Length of the response. Returns false on a failure, see
    // outcome(); feed() does the same.
    bool begin(std::string_view coding, std::optional<std::uint64_t> length);
    bool feed(std::span<const std::uint8_t> bytes);
    void finish();

    // Number of decompressed bytes so far.
    [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
    // The result of finish(), or of the call that returned false.
    [[nodiscard]] Outcome outcome() const { return outcome_; }
    [[nodiscard]] const std::string& why() const { return why_; }

  private:
    Result<void> hand_on(std::span<const std::uint8_t> bytes);
    bool end(Outcome outcome, std::string why);
    [[nodiscard]] std::string limit_text() const;

    const Request& request_;
    const Sink& sink_;
    Inflater inflater_;
    bool packed_ = false;
    std::uint64_t taken_ = 0;  // received bytes
    std::uint64_t bytes_ = 0;
    Outcome outcome_ = Outcome::cut_off;
    std::string why_;
};

}  // namespace steer::fetch
