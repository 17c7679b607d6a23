#include "control/config/zone_text.h"

#include <optional>
#include <utility>

#include "control/config/dns_names.h"
#include "control/config/rdata_text.h"
#include "control/config/values.h"
#include "dataplane/dns/wire.h"
#include "matchers/list/lines.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

constexpr std::uint32_t kDefaultTtl = 3600;

// One record's words; it may go over several lines within parentheses.
struct ZoneEntry {
    std::vector<ZoneWord> words;
    bool has_owner = true;  // the line does not begin with a blank
    int line = 0;
    std::string trouble;
};

bool is_gap(char c) {
    return c == ' ' || c == '\t' || c == '\r';
}

class Entries {
  public:
    explicit Entries(std::string_view bytes) : rest_(matchers::without_marks(bytes)) {}

    std::optional<ZoneEntry> next() {
        while (!rest_.empty()) {
            ZoneEntry entry = take_entry();
            if (!entry.words.empty() || !entry.trouble.empty()) return entry;
        }
        return std::nullopt;
    }

  private:
    ZoneEntry take_entry() {
        ZoneEntry entry;
        entry.line = line_;
        entry.has_owner = !is_gap(rest_.front());
        bool inside = false;
        while (!rest_.empty()) {
            const char c = rest_.front();
            if (c == '\n') {
                skip();
                if (!inside) return entry;
            } else if (is_gap(c)) {
                skip();
            } else if (c == ';' || (c == '#' && entry.words.empty())) {
                skip_line();
            } else if (c == '(' || c == ')') {
                if (inside == (c == '(')) entry.trouble = "a parenthesis without another";
                inside = c == '(';
                skip();
            } else {
                take_word(entry);
            }
        }
        if (inside) entry.trouble = "a parenthesis that is not closed";
        return entry;
    }

    // Quotes may begin inside a word, as in alpn="h2,h3".
    void take_word(ZoneEntry& entry) {
        ZoneWord word;
        bool quoted = false;
        while (!rest_.empty() && rest_.front() != '\n') {
            const char c = rest_.front();
            if (!quoted && (is_gap(c) || c == ';' || c == '(' || c == ')')) break;
            skip();
            if (c == '"') {
                quoted = !quoted;
                word.quoted = true;
                continue;
            }
            word.text += c;
            if (c == '\\' && !rest_.empty() && rest_.front() != '\n') {
                word.text += rest_.front();
                skip();
            }
        }
        if (quoted) entry.trouble = "a quote that is not closed on its line";
        entry.words.push_back(std::move(word));
    }

    void skip() {
        if (rest_.front() == '\n') ++line_;
        rest_.remove_prefix(1);
    }
    void skip_line() {
        while (!rest_.empty() && rest_.front() != '\n')
            rest_.remove_prefix(1);
    }

    std::string_view rest_;
    int line_ = 1;
};

std::optional<std::uint32_t> ttl_of(std::string_view text) {
    if (text.empty() || text.front() < '0' || text.front() > '9') return std::nullopt;
    const auto duration = parse_duration(text);
    if (!duration || duration->count() % 1000 != 0 || duration->count() / 1000 > dns::kMostTtlS)
        return std::nullopt;
    return static_cast<std::uint32_t>(duration->count() / 1000);
}

bool is_number(std::string_view text) {
    return !text.empty() && text.front() >= '0' && text.front() <= '9';
}

class ZoneReader {
  public:
    explicit ZoneReader(std::string_view file) : out{{}, matchers::BadLines(file)} {}

    void read(const ZoneEntry& entry) {
        if (!entry.trouble.empty())
            return bad(entry, entry.trouble + ": remove it or add the other");
        if (entry.words.front().text.starts_with('$')) return directive(entry);
        std::span<const ZoneWord> words = entry.words;
        if (entry.has_owner) {
            owner_ = absolute_name(words[0].text, origin_);
            has_owner_ = true;
            words = words.subspan(1);
        }
        if (!has_owner_) return bad(entry, "a record without a name: write one before it");
        record(entry, words);
    }

    ZoneText out;

  private:
    void bad(const ZoneEntry& entry, std::string text) {
        out.bad.add({std::move(text)}, entry.line);
    }

    void directive(const ZoneEntry& entry) {
        const std::string& what = entry.words[0].text;
        const std::string value = entry.words.size() == 2 ? entry.words[1].text : "";
        if (what == "$ORIGIN" && !value.empty()) {
            origin_ = absolute_name(value, origin_);
        } else if (const auto ttl = ttl_of(value); what == "$TTL" && ttl) {
            ttl_s_ = *ttl;
        } else {
            bad(entry,
                matchers::quoted(what) + ": expected a record, '$ORIGIN NAME', or '$TTL SECONDS'");
        }
    }

    void record(const ZoneEntry& entry, std::span<const ZoneWord> words) {
        KnownRecord record{0, dns::kIn, ttl_s_, {}};
        // TTL and class, in any order.
        for (; !words.empty(); words = words.subspan(1)) {
            const std::string& word = words[0].text;
            if (const auto ttl = ttl_of(word)) {
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
        auto rdata = rdata_of(*type, words.subspan(1), origin_);
        if (!rdata) return bad(entry, rdata.error().text);
        record.rdata = *std::move(rdata);
        out.records.push_back({owner_, std::move(record), entry.line});
    }

    std::string origin_, owner_;  // without a last dot; empty: the root
    bool has_owner_ = false;
    std::uint32_t ttl_s_ = kDefaultTtl;
};

}  // namespace

ZoneText read_zone(std::string_view bytes, std::string_view file) {
    ZoneReader reader(file);
    if (auto error = matchers::not_utf8(bytes)) {
        reader.out.bad.add(*std::move(error), 1);
        return std::move(reader.out);
    }
    Entries entries(bytes);
    while (const auto entry = entries.next())
        reader.read(*entry);
    return std::move(reader.out);
}

}  // namespace steer::config
