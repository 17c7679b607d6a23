// The data of `steerctl top`: the last two answers of the daemon, and the rates between them.
// Without terminal, socket and clock.
#pragma once

#include <array>
#include <boost/json/value.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "screen.h"

namespace steerctl {

// The answers at one moment. An error replaces them.
struct TopSample {
    double at_s = 0;  // of a steady clock
    boost::json::value status, counters;
    std::string error;
};

struct TopCell {
    std::string text;              // safe
    std::optional<double> number;  // sorts before text, and is aligned to the right
    Style style = Style::plain;
};
struct TopRow {
    std::string key;  // identifies the row: a name, an address
    std::vector<TopCell> cells;
};
struct TopTable {
    std::vector<std::string> headings;
    std::vector<TopRow> rows;
    std::size_t flexible = 0;    // the column that is cut, or gets the remaining width
    std::size_t sorted_by = 0;   // initially
    std::string empty = "none";  // shown without rows
};

enum class TopPage : std::uint8_t { overview, ends, upstreams, routers, names, clients, latency };
inline constexpr std::array<std::string_view, 7> kTopPages{
    "overview", "ends", "upstreams", "routers", "names", "clients", "latency"};
// The overview has sections for the pages up to this one.
inline constexpr TopPage kLastSection = TopPage::clients;

class TopModel {
  public:
    void take(TopSample sample);
    // Stores the answer to `hits`, or the error.
    void take_hits(boost::json::value hits, std::string error);
    // Stores the details of one name, client, upstream or router, as lines of text.
    void take_detail(TopPage page, std::string key, std::string text);

    // Returns the rows of a page, unsorted; none for the overview.
    [[nodiscard]] TopTable table(TopPage page) const;
    // Returns the lines about one row of a page.
    [[nodiscard]] std::vector<std::string> detail(TopPage page, std::string_view key) const;
    // Returns the lines above every page: state, rates and totals.
    [[nodiscard]] std::vector<std::string> head() const;

    [[nodiscard]] bool has_answer() const { return now_.has_value(); }
    [[nodiscard]] const std::string& error() const { return error_; }

  private:
    struct Counted {
        double value = 0;                    // since the start
        std::optional<double> per_second{};  // between the last two samples
    };
    // A sum over all workers of `counters` in one of their tables.
    [[nodiscard]] Counted counter(std::string_view table, std::string_view name) const;
    [[nodiscard]] Counted queries() const;
    [[nodiscard]] std::optional<double> seconds() const;  // between the samples
    [[nodiscard]] TopTable ends() const;
    [[nodiscard]] TopTable of_status(TopPage page) const;
    [[nodiscard]] TopTable of_hits(TopPage page) const;
    [[nodiscard]] TopTable latency() const;

    std::optional<TopSample> now_, before_;
    bool was_lost_ = false;
    std::deque<double> rates_;  // queries per second, the newest last
    boost::json::value hits_;
    std::string error_, hits_error_;
    TopPage detail_page_ = TopPage::overview;
    std::string detail_key_, detail_text_;
};

}  // namespace steerctl
