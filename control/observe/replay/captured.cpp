#include "control/observe/replay/captured.h"

#include <algorithm>
#include <charconv>
#include <functional>
#include <string>
#include <utility>

#include "dataplane/dns/name.h"
#include "dataplane/dns/query.h"
#include "matchers/quote.h"

namespace steer::replay {
namespace {

constexpr std::uint64_t kMostQueries = 1'000'000'000'000;  // of a line
constexpr std::uint64_t kMost16 = 0xffff, kMostRcode = 0xfff;

// The words of a line, one at a time. The first wrong one makes the line wrong.
class Words {
  public:
    explicit Words(std::string_view line) : rest_(line) {}

    std::string_view next(std::string_view expected) {
        if (is_wrong_) return {};
        expected_ = expected;
        const auto end = std::min(rest_.find(' '), rest_.size());
        word_ = rest_.substr(0, end);
        rest_.remove_prefix(std::min(end + 1, rest_.size()));
        is_wrong_ = word_.empty();
        return word_;
    }
    std::uint64_t number(std::string_view expected, std::uint64_t most) {
        std::uint64_t n = 0;
        const std::string_view word = next(expected);
        const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), n);
        is_wrong_ |= error != std::errc{} || end != word.data() + word.size() || n > most;
        return n;
    }
    IpAddress address(std::string_view expected) {
        const auto address = IpAddress::parse(next(expected));
        is_wrong_ |= !address;
        return address.value_or(IpAddress{});
    }
    std::vector<std::uint8_t> name(std::string_view expected) {
        auto name = dns::name_from_text(next(expected));
        is_wrong_ |= !name;
        if (!name) return {};
        dns::lower_case(name->data(), name->data(), name->size());
        return *std::move(name);
    }
    [[nodiscard]] bool is_at_end() const { return rest_.empty(); }
    [[nodiscard]] std::string_view rest() const { return rest_; }
    [[nodiscard]] bool is_wrong() const { return is_wrong_; }
    [[nodiscard]] std::string error() const {
        return "expected " + std::string(expected_) + ", not " + matchers::quoted(word_);
    }

  private:
    std::string_view rest_, word_, expected_;
    bool is_wrong_ = false;
};

ReplayedQuery read_line(Words& words) {
    ReplayedQuery query;
    query.queries = std::max<std::uint64_t>(1, words.number("a number of queries", kMostQueries));
    query.client = words.address("a client's address");
    query.server = words.address("a server's address");
    query.qtype = static_cast<std::uint16_t>(words.number("a type's number", kMost16));
    query.qclass = static_cast<std::uint16_t>(words.number("a class's number", kMost16));
    query.name = words.name("a domain name");
    if (words.is_wrong() || words.is_at_end()) return query;
    const auto rcode = static_cast<std::uint16_t>(words.number("an rcode's number", kMostRcode));
    query.answer = KnownAnswer{
        .rcode = rcode, .records = std::string(words.rest()), .upstream = {}, .is_upstreams = true};
    return query;
}

}  // namespace

Result<Recorded> read_captured(std::string_view lines) {
    Recorded out;
    while (!lines.empty()) {
        const auto place = "line " + std::to_string(out.queries.size() + 1) + " of `records`";
        if (out.queries.size() >= kMostDistinct)
            return Error{place + ": there may be " + std::to_string(kMostDistinct) + " lines"};
        const auto end = std::min(lines.find('\n'), lines.size());
        Words words(lines.substr(0, end));
        lines.remove_prefix(std::min(end + 1, lines.size()));
        out.queries.push_back(read_line(words));
        if (words.is_wrong()) return Error{place + ": " + words.error()};
        out.sum += out.queries.back().queries;
    }
    std::ranges::stable_sort(out.queries, std::greater{}, &ReplayedQuery::queries);
    return out;
}

}  // namespace steer::replay
