#include "control/streams/fetch/content.h"

#include <boost/algorithm/string/predicate.hpp>
#include <utility>

#include "matchers/quote.h"

namespace steer::fetch {

Content::Content(const Request& request, const Sink& sink)
    : request_(request),
      sink_(sink),
      inflater_([this](std::span<const std::uint8_t> bytes) { return hand_on(bytes); }) {}

bool Content::end(Outcome outcome, std::string why) {
    outcome_ = outcome;
    why_ = std::move(why);
    return false;
}

std::string Content::limit_text() const {
    return "it is larger than " + std::to_string(request_.max_bytes) + " bytes (max_size)";
}

bool Content::begin(std::string_view coding, std::optional<std::uint64_t> length) {
    packed_ = boost::iequals(coding, "gzip") || boost::iequals(coding, "x-gzip");
    if (!packed_ && !coding.empty() && !boost::iequals(coding, "identity"))
        return end(Outcome::damaged, "it has the content encoding " + matchers::quoted(coding) +
                                         ", which was not requested");
    if (length.value_or(0) > request_.max_bytes) return end(Outcome::too_large, limit_text());
    return true;
}

bool Content::feed(std::span<const std::uint8_t> bytes) {
    if (bytes.size() > request_.max_bytes - taken_) return end(Outcome::too_large, limit_text());
    taken_ += bytes.size();
    outcome_ = Outcome::damaged;  // unless it is the sink's or the limit's
    const auto done = packed_ ? inflater_.feed(bytes) : hand_on(bytes);
    return done || end(outcome_, done.error().text);
}

Result<void> Content::hand_on(std::span<const std::uint8_t> bytes) {
    if (bytes.size() > request_.max_bytes - bytes_) {
        outcome_ = Outcome::too_large;
        return Error{limit_text()};
    }
    bytes_ += bytes.size();
    auto kept = sink_(bytes);
    if (!kept) outcome_ = Outcome::not_kept;
    return kept;
}

void Content::finish() {
    if (packed_ && !inflater_.is_whole()) {
        end(Outcome::cut_off, "its compressed content ends too early");
    } else {
        end(Outcome::fetched, {});
    }
}

}  // namespace steer::fetch
