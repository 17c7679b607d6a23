#include "control/config/text/zone_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "control/config/text/dns_names.h"
#include "control/config/text/rdata_text.h"
#include "control/config/values.h"
#include "dataplane/dns/wire.h"
#include "matchers/list/lines.h"
#include "matchers/list/zone_entries.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

constexpr std::uint32_t kDefaultTtl = 3600;

bool is_number(std::string_view text) {
    return !text.empty() && text.front() >= '0' && text.front() <= '9';
}

using matchers::ZoneEntries;
using matchers::ZoneEntry;

class ZoneReader {
  public:
    ZoneReader(std::string_view file, const ZoneFiles& files, std::string_view origin,
               bool any_byte)
        : out{{}, matchers::BadLines(file)},
          files_(files),
          file_(file),
          any_byte_(any_byte),
          origin_(origin) {}

    void read_all(std::string_view bytes) {
        if (auto error = matchers::not_utf8(bytes)) {
            out.bad.add(*std::move(error), 1);
            return;
        }
        ZoneEntries entries(bytes);
        while (const auto entry = entries.next())
            read(*entry);
    }

    ZoneText out;

  private:
    void read(const ZoneEntry& entry) {
        if (!entry.error.empty()) return bad(entry, entry.error + ": remove it or add the other");
        if (entry.words.front().text.starts_with('$')) return directive(entry);
        std::span<const ZoneWord> words = entry.words;
        if (entry.has_owner) {
            owner_ = absolute_name(words[0].text, origin_);
            has_owner_ = true;
            words = words.subspan(1);
        }
        if (!has_owner_) return bad(entry, "a record has no name: add one before it");
        record(entry, words);
    }

    // A line of an included file is named within the text: `out.bad` belongs to the outermost file.
    void bad(const ZoneEntry& entry, std::string text) {
        if (depth_ > 0) text = file_ + ":" + std::to_string(entry.line) + ": " + std::move(text);
        out.bad.add({std::move(text)}, line_of(entry));
    }
    [[nodiscard]] int line_of(const ZoneEntry& entry) const {
        return depth_ > 0 ? line_of_include_ : entry.line;
    }

    void directive(const ZoneEntry& entry) {
        const std::string& what = entry.words[0].text;
        const std::string value = entry.words.size() == 2 ? entry.words[1].text : "";
        if (what == "$ORIGIN" && !value.empty()) {
            origin_ = absolute_name(value, origin_);
        } else if (const auto ttl = matchers::zone_ttl_s(value); what == "$TTL" && ttl) {
            ttl_s_ = *ttl;
        } else if (what == "$INCLUDE" && (entry.words.size() == 2 || entry.words.size() == 3)) {
            include(entry);
        } else if (what == "$GENERATE" && entry.words.size() >= 4) {
            generate(entry);
        } else {
            bad(entry, matchers::quoted(what) +
                           ": expected a record, '$ORIGIN NAME', '$TTL SECONDS', '$INCLUDE FILE "
                           "[ORIGIN]', or '$GENERATE FIRST-LAST NAME TYPE DATA'");
        }
    }

    // RFC 1035 5.1: its origin and owner end with the file.
    void include(const ZoneEntry& entry) {
        constexpr unsigned kDeepest = 8;
        const auto& words = entry.words;
        if (depth_ == kDeepest)
            return bad(entry, "$INCLUDE is nested more than 8 levels deep: remove one");
        auto file = files_ ? files_(words[1].text, file_)
                           : Result<ZoneFile>(Error{"$INCLUDE is not supported here"});
        if (!file) return bad(entry, "$INCLUDE: " + file.error().text);
        const std::string origin = origin_, owner = owner_,
                          outer = std::exchange(file_, file->path);
        const bool had_owner = has_owner_;
        const int outer_line = line_of_include_;
        line_of_include_ = line_of(entry);
        if (words.size() == 3) origin_ = absolute_name(words[2].text, origin_);
        ++depth_;
        read_all(file->bytes);
        --depth_;
        line_of_include_ = outer_line;
        file_ = outer;
        origin_ = origin;
        owner_ = owner;
        has_owner_ = had_owner;
    }

    // FIRST-LAST[/STEP] NAME [TTL] [CLASS] TYPE DATA, with `$` and `${OFFSET,WIDTH,BASE}` for the number.
    void generate(const ZoneEntry& entry) {
        constexpr std::uint64_t kMax = 65'536;
        std::string_view range = entry.words[1].text;
        std::uint64_t step = 1;
        if (const auto slash = range.find('/'); slash != std::string_view::npos) {
            step = parse_integer(range.substr(slash + 1)).value_or(0);
            range = range.substr(0, slash);
        }
        const auto dash = range.find('-');
        const auto first = parse_integer(range.substr(0, dash));
        const auto last =
            dash == std::string_view::npos ? std::nullopt : parse_integer(range.substr(dash + 1));
        if (!first || !last || step == 0 || *last < *first || *last > INT32_MAX ||
            (*last - *first) / step >= kMax - generated_) {
            return bad(entry, "$GENERATE has " + matchers::quoted(entry.words[1].text) +
                                  ": expected FIRST-LAST or FIRST-LAST/STEP, at most 65536 records "
                                  "in all");
        }
        generated_ += (*last - *first) / step + 1;
        for (std::uint64_t n = *first; n <= *last; n += step) {
            ZoneEntry made;
            made.line = entry.line;
            for (std::size_t i = 2; i < entry.words.size(); ++i) {
                auto text = generated(entry.words[i].text, n);
                if (!text)
                    return bad(entry, "$GENERATE has " + matchers::quoted(entry.words[i].text) +
                                          ": expected '$' or '${OFFSET,WIDTH,BASE}', with the base "
                                          "d, o, x or X");
                made.words.push_back({*std::move(text), entry.words[i].quoted});
            }
            const std::size_t bad_before = out.bad.count();
            owner_ = absolute_name(made.words[0].text, origin_);
            has_owner_ = true;
            record(made, std::span<const ZoneWord>(made.words).subspan(1));
            if (out.bad.count() != bad_before) return;  // the others are as bad
        }
    }

    static std::optional<std::string> generated(std::string_view text, std::uint64_t number) {
        std::string made;
        while (!text.empty()) {
            const char c = text.front();
            if (c == '\\' && text.size() > 1) {
                made += text[1] == '$' ? "$" : std::string(text.substr(0, 2));
                text.remove_prefix(2);
                continue;
            }
            text.remove_prefix(1);
            if (c != '$') {
                made += c;
            } else if (text.starts_with('$')) {
                made += '$';
                text.remove_prefix(1);
            } else if (text.starts_with('{')) {
                const auto close = text.find('}');
                if (close == std::string_view::npos) return std::nullopt;
                auto one = number_text(text.substr(1, close - 1), number);
                if (!one) return std::nullopt;
                made += *one;
                text.remove_prefix(close + 1);
            } else {
                made += std::to_string(number);
            }
        }
        return made;
    }

    // "OFFSET[,WIDTH[,BASE]]".
    static std::optional<std::string> number_text(std::string_view form, std::uint64_t number) {
        constexpr std::size_t kWidest = 255;
        std::array<std::string_view, 3> parts{form, "0", "d"};
        for (std::size_t i = 0; i < 2; ++i) {
            const auto comma = parts[i].find(',');
            if (comma == std::string_view::npos) break;
            parts[i + 1] = parts[i].substr(comma + 1);
            parts[i] = parts[i].substr(0, comma);
        }
        const bool minus = parts[0].starts_with('-');
        const auto offset = parse_integer(parts[0].substr(minus ? 1 : 0));
        const auto width = parse_integer(parts[1]);
        const std::string_view base = parts[2];
        if (!offset || *offset > INT32_MAX || !width || *width > kWidest || base.size() != 1 ||
            std::string_view("doxX").find(base) == std::string_view::npos ||
            (minus && *offset > number))
            return std::nullopt;
        std::array<char, 32> digits{};
        const auto end =
            std::to_chars(digits.begin(), digits.end(), minus ? number - *offset : number + *offset,
                          base == "d"   ? 10
                          : base == "o" ? 8
                                        : 16)
                .ptr;
        std::string made(digits.begin(), end);
        if (base == "X")
            std::ranges::transform(made, made.begin(), [](char c) {
                return c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c;
            });
        return std::string(made.size() < *width ? *width - made.size() : 0, '0') + made;
    }

    void record(const ZoneEntry& entry, std::span<const ZoneWord> words) {
        KnownRecord record{0, dns::kIn, ttl_s_, {}};
        // TTL and class, in any order.
        for (; !words.empty(); words = words.subspan(1)) {
            const std::string& word = words[0].text;
            if (const auto ttl = matchers::zone_ttl_s(word)) {
                record.ttl_s = *ttl;
            } else if (const auto klass = is_number(word) ? std::nullopt : parse_qclass(word);
                       klass && *klass < 254) {
                record.klass = *klass;
            } else {
                break;
            }
        }
        const auto type =
            words.empty() || is_number(words[0].text) ? std::nullopt : parse_qtype(words[0].text);
        if (!type || *type == 0 || *type == dns::kOpt || (*type >= 249 && *type <= 255)) {
            return bad(entry, (words.empty() ? std::string("nothing after the name")
                                             : matchers::quoted(words[0].text)) +
                                  ": expected a record as in 'www.example.org. 3600 IN A "
                                  "192.0.2.1'");
        }
        record.type = *type;
        auto rdata = rdata_of(*type, words.subspan(1), origin_, any_byte_);
        if (!rdata) return bad(entry, rdata.error().text);
        record.rdata = *std::move(rdata);
        out.records.push_back({owner_, std::move(record), line_of(entry)});
    }

    const ZoneFiles& files_;
    std::string file_;  // that is being read
    bool any_byte_;     // in names of the data
    unsigned depth_ = 0;
    std::uint64_t generated_ = 0;  // records, by $GENERATE
    int line_of_include_ = 0;      // in the outermost file
    std::string origin_, owner_;   // without a last dot; empty: the root
    bool has_owner_ = false;
    std::uint32_t ttl_s_ = kDefaultTtl;
};

}  // namespace

ZoneText read_zone(std::string_view bytes, std::string_view file, const ZoneFiles& files,
                   std::string_view origin, bool any_byte) {
    ZoneReader reader(file, files, origin, any_byte);
    reader.read_all(bytes);
    return std::move(reader.out);
}

}  // namespace steer::config
