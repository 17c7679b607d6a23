// A file of domain-list-community's data/: rules with attributes (@cn), affiliations (&other), and
// includes of other files, which may select rules by attribute (include:other @cn @-ads).
#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "matchers/list/lines.h"
#include "matchers/list/name_list.h"
#include "matchers/quote.h"
#include "matchers/text.h"

namespace steer::matchers {
namespace {

constexpr std::size_t kDeepest = 16;         // includes of includes
constexpr std::size_t kMaxIncludes = 1'000;  // of one file, all together

// Attributes that a rule must have, and must not have.
struct Filter {
    std::vector<std::string> with, without;
    [[nodiscard]] bool takes(const std::vector<std::string>& attributes) const {
        const auto has = [&](const std::string& a) {
            return std::ranges::find(attributes, a) != attributes.end();
        };
        return std::ranges::all_of(with, has) && std::ranges::none_of(without, has);
    }
};

class Reader {
  public:
    Reader(std::string_view file, const ReadBeside& read_beside)
        : out_{{{}, BadLines(file)}}, read_beside_(read_beside) {}

    // `line`: the line of the include in the first file, used for all that it includes; 0: this is the first file.
    void read(std::string_view bytes, const std::vector<Filter>& filters, int line) {
        Lines lines(bytes);
        while (const auto next = lines.next())
            read_line(next->text.substr(0, next->text.find('#')), filters,
                      line > 0 ? line : next->number);
    }
    NameList take() && { return std::move(out_); }

  private:
    void read_line(std::string_view text, const std::vector<Filter>& filters, int line) {
        text = trimmed(text);
        if (text.empty()) return;
        // Attributes and affiliations follow the rule, each after a blank.
        const auto first = std::min(text.find_first_of(kBlank), text.size());
        const std::string_view rule = text.substr(0, first);
        std::vector<std::string> attributes;
        for (std::string_view rest = trimmed(text.substr(first)); !rest.empty();) {
            const auto end = std::min(rest.find_first_of(kBlank), rest.size());
            const std::string_view word = rest.substr(0, end);
            rest = trimmed(rest.substr(end));
            if (word.size() > 1 && word.front() == '@') {
                attributes.push_back(lowered(word.substr(1)));
            } else if (word.size() < 2 || word.front() != '&') {
                out_.list.bad.add({quoted(word) + " after the rule " + quoted(rule) +
                                   ": expected @ATTRIBUTE or &LIST"},
                                  line);
                return;
            }
        }
        constexpr std::string_view kInclude = "include:";
        if (rule.starts_with(kInclude))
            return include(rule.substr(kInclude.size()), attributes, filters, line);
        for (const Filter& filter : filters) {
            if (!filter.takes(attributes)) return;
        }
        if (auto parsed = parse_rule(rule, RuleKind::domain)) {
            out_.list.rules.push_back({*std::move(parsed), line});
        } else {
            out_.list.bad.add(std::move(parsed).error(), line);
        }
    }

    void include(std::string_view name, const std::vector<std::string>& attributes,
                 std::vector<Filter> filters, int line) {
        const auto fail = [&](const char* why) {
            out_.list.bad.add({"include:" + std::string(name) + " " + why}, line);
        };
        if (name.empty() || name.find('/') != std::string_view::npos || name.starts_with('.'))
            return fail("does not name a file in this folder");
        Filter filter;
        for (const std::string& attribute : attributes) {
            const bool without = attribute.starts_with('-');
            (without ? filter.without : filter.with).push_back(attribute.substr(without ? 1 : 0));
        }
        filters.push_back(std::move(filter));
        const auto [open, is_new] = open_.insert(std::string(name));
        if (!is_new) return fail("comes back to itself");
        if (open_.size() > kDeepest || ++includes_ > kMaxIncludes) {
            fail("is one include too many");
        } else if (const auto bytes = read_beside_ ? read_beside_(name) : std::nullopt) {
            read(*bytes, filters, line);
        } else {
            fail("cannot be read");
        }
        open_.erase(std::string(name));
    }

    NameList out_;
    const ReadBeside& read_beside_;
    std::set<std::string> open_;
    std::size_t includes_ = 0;
};

}  // namespace

NameList read_v2fly(std::string_view bytes, std::string_view file, const ReadBeside& read_beside) {
    Reader reader(file, read_beside);
    reader.read(bytes, {}, 0);
    return std::move(reader).take();
}

}  // namespace steer::matchers
