#include "matchers/pattern/compile.h"

#include <hs/hs.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>
#include <optional>
#include <span>
#include <utility>

#include "matchers/content_hash.h"
#include "matchers/pattern/compiler.h"
#include "matchers/pattern/literal.h"
#include "matchers/pattern/text_test.h"
#include "matchers/quote.h"

namespace steer::matchers {
namespace {

// ALLOWEMPTY: `regexp:.*` means every name.
constexpr unsigned kFlags =
    HS_FLAG_SINGLEMATCH | HS_FLAG_CASELESS | HS_FLAG_DOTALL | HS_FLAG_ALLOWEMPTY;

std::string refusal(RuleKind kind, const std::string& text, const std::string& why) {
    const char* const what = kind == RuleKind::regexp ? "the regexp " : "the keyword ";
    return what + quoted(text) + " cannot be compiled: " + why +
           "; write it without look-around and back-references";
}

std::string refusal(const std::string& text, const Checked& checked) {
    if (!checked.over_budget) return refusal(RuleKind::regexp, text, *checked.why);
    return "the regexp " + quoted(text) + " is refused: " + *checked.why;
}

// Below this, compiling is as fast as reading the stored image.
constexpr std::size_t kPatternsWorthKeeping = 20;
constexpr std::string_view kImageNames = "patterns-";
// An older image is used only if it lacks at most one of so many patterns: lists change by a little.
constexpr std::size_t kOneMissingOf = 10;
constexpr std::size_t kSlowShown = 3;  // warnings of a file about regexps without a literal

// Each database as its size (8 bytes) and its bytes; size 0: none.
void append(const hs_database* database, std::vector<std::uint8_t>& out) {
    char* bytes = nullptr;
    std::uint64_t size = 0;
    if (database != nullptr && hs_serialize_database(database, &bytes, &size) != HS_SUCCESS)
        size = 0;
    const auto* const number = reinterpret_cast<const std::uint8_t*>(&size);
    out.insert(out.end(), number, number + sizeof size);
    out.insert(out.end(), bytes, bytes + size);
    std::free(bytes);  // NOLINT: Hyperscan gives it from malloc()
}

// The next database's bytes; no value: the image ends before.
std::optional<std::span<const std::uint8_t>> next_database(std::span<const std::uint8_t>& bytes) {
    std::uint64_t size = 0;
    if (bytes.size() < sizeof size) return std::nullopt;
    std::memcpy(&size, bytes.data(), sizeof size);
    bytes = bytes.subspan(sizeof size);
    if (size > bytes.size()) return std::nullopt;
    const auto database = bytes.first(size);
    bytes = bytes.subspan(size);
    return database;
}

bool take(std::span<const std::uint8_t>& bytes, PatternDatabase& out) {
    const auto kept = next_database(bytes);
    if (!kept) return false;
    hs_database_t* database = nullptr;
    if (!kept->empty() && hs_deserialize_database(reinterpret_cast<const char*>(kept->data()),
                                                  kept->size(), &database) != HS_SUCCESS)
        return false;
    out.reset(database);
    return true;
}

// A rule as it is kept beside the databases, which know it by its number only.
struct KeptRule {
    RuleKind kind;
    std::string text;
};

void append(const KeptRule& rule, std::vector<std::uint8_t>& out) {
    const auto size = static_cast<std::uint32_t>(rule.text.size());
    const auto* const number = reinterpret_cast<const std::uint8_t*>(&size);
    out.push_back(rule.kind == RuleKind::keyword ? 1 : 0);
    out.insert(out.end(), number, number + sizeof size);
    out.insert(out.end(), rule.text.begin(), rule.text.end());
}

bool take(std::span<const std::uint8_t>& bytes, KeptRule& out) {
    std::uint32_t size = 0;
    if (bytes.size() < 1 + sizeof size || bytes[0] > 1) return false;
    out.kind = bytes[0] == 1 ? RuleKind::keyword : RuleKind::regexp;
    std::memcpy(&size, bytes.data() + 1, sizeof size);
    bytes = bytes.subspan(1 + sizeof size);
    if (size > bytes.size()) return false;
    out.text.assign(reinterpret_cast<const char*>(bytes.data()), size);
    bytes = bytes.subspan(size);
    return true;
}

// The rules of a kept image, in the order of their numbers; none: not written by keep().
std::vector<KeptRule> rules_of(std::span<const std::uint8_t> bytes) {
    std::vector<KeptRule> rules;
    if (!next_database(bytes) || !next_database(bytes)) return {};
    while (!bytes.empty()) {
        if (!take(bytes, rules.emplace_back())) return {};
    }
    return rules;
}

std::string expression_in(const KeptRule& rule) {
    return rule.kind == RuleKind::keyword ? expression_of(rule.text) : rule.text;
}

// The name of an image: a hash of the rules, the library and the target CPU.
template <class Rules>
std::string name_of(const Rules& rules) {
    ContentHash hash;
    hash.add_text("patterns 2");
    hash.add_text(hs_version());
    hs_platform_info_t platform{};
    hs_populate_platform(&platform);
    hash.add_number(platform.tune);
    hash.add_number(platform.cpu_features);
    hash.add_number(kFlags);
    for (const auto& rule : rules) {
        hash.add_number(static_cast<std::uint64_t>(rule.kind));
        hash.add_text(rule.text);
    }
    return std::string(kImageNames) + hash.hex();
}

// False: not written by keep().
bool restore(const std::optional<Arena>& kept, PatternImage& image) {
    if (!kept) return false;
    auto bytes = kept->bytes();
    return take(bytes, image.database) && image.database != nullptr &&
           take(bytes, image.unfiltered);
}

// Adds a pattern's literals to the filter. False: it has none, or they are too short.
bool add_to(GramFilter& filter, RuleKind kind, const std::string& text) {
    if (kind == RuleKind::keyword) return filter.add(text);
    const auto literals = required_literals(text);
    return !literals.empty() &&
           std::all_of(literals.begin(), literals.end(),
                       [&](const std::string& literal) { return filter.add(literal); });
}

// The expressions' numbers, of those without a literal, too; and the filter of the image.
struct Numbers {
    std::vector<unsigned> all, unfiltered;
};
template <class Rules>
Numbers filter(const Rules& rules, PatternImage& image) {
    Numbers numbers;
    for (const auto& rule : rules) {
        const auto id = static_cast<unsigned>(numbers.all.size());
        numbers.all.push_back(id);
        if (!add_to(image.filter, rule.kind, rule.text)) numbers.unfiltered.push_back(id);
    }
    image.filter.build();
    image.has_filter = numbers.unfiltered.size() < numbers.all.size();
    return numbers;
}

}  // namespace

std::vector<Expression> kept_expressions(ImageStore& store) {
    for (const std::string& name : store.names(kImageNames)) {
        const auto kept = store.load(name);
        if (!kept) continue;
        const auto rules = rules_of(kept->bytes());
        if (rules.empty() || name_of(rules) != name) continue;
        std::vector<Expression> out;
        out.reserve(rules.size());
        for (const KeptRule& rule : rules)
            out.push_back({expression_in(rule), kFlags, 0});
        return out;
    }
    return {};
}

void FreeDatabase::operator()(hs_database* database) const noexcept {
    hs_free_database(database);
}

void PatternBuilder::add(SetId set, RuleKind kind, std::string text, std::string_view file,
                         int line) {
    std::string expression = kind == RuleKind::keyword ? expression_of(text) : text;
    const auto [found, is_new] = index_of_.try_emplace(expression, patterns_.size());
    if (is_new) {
        patterns_.push_back(
            {kind, std::move(text), std::move(expression), TagBits{}, std::string(file), line});
    }
    patterns_[found->second].tags.set(set);
}

// Each regexp with its result; regexps with a NUL are not tried.
std::vector<Checked> PatternBuilder::check_regexps() const {
    std::vector<Expression> expressions;
    std::vector<std::size_t> places;
    std::vector<Checked> out(patterns_.size());
    for (std::size_t i = 0; i < patterns_.size(); ++i) {
        const Pattern& pattern = patterns_[i];
        if (pattern.kind != RuleKind::regexp) continue;
        if (pattern.expression.find('\0') != std::string::npos) {
            out[i].why = "it holds a NUL byte: remove it, or write \\x00";
            continue;
        }
        expressions.push_back({pattern.expression, kFlags, 0});
        places.push_back(i);
    }
    if (expressions.empty()) return out;
    auto checked = pattern_compiler().check(expressions);
    for (std::size_t i = 0; i < places.size(); ++i)
        out[places[i]] = std::move(checked[i]);
    return out;
}

void PatternBuilder::check_each(std::vector<Error>* errors, std::vector<Error>& warnings) const {
    std::vector<Checked> checked;
    if (errors != nullptr) checked = check_regexps();
    struct Slow {
        std::size_t count = 0, warning = 0;  // of a file; index in `warnings`
    };
    std::map<std::string_view, Slow> slow;
    for (std::size_t i = 0; i < patterns_.size(); ++i) {
        const Pattern& pattern = patterns_[i];
        if (pattern.kind != RuleKind::regexp) continue;
        if (errors != nullptr && checked[i].why) {
            errors->push_back({refusal(pattern.text, checked[i]), pattern.file, pattern.line});
        } else if (shortest_literal(pattern.expression) < kUsefulLiteral) {
            Slow& of_file = slow[pattern.file];
            if (++of_file.count > kSlowShown) continue;
            of_file.warning = warnings.size();
            warnings.push_back(
                {"the regexp " + quoted(pattern.text) +
                     " contains no literal text, so it is tried on every name: add literal text "
                     "if possible",
                 pattern.file, pattern.line});
        }
    }
    for (const auto& [file, of_file] : slow) {
        if (of_file.count > kSlowShown)
            warnings[of_file.warning].text += "; the same holds for " +
                                              std::to_string(of_file.count - kSlowShown) +
                                              " more regexps of this file";
    }
}

void PatternBuilder::keep(const PatternImage& image, const std::string& name,
                          ImageStore& store) const {
    std::vector<std::uint8_t> bytes;
    append(image.database.get(), bytes);
    append(image.unfiltered.get(), bytes);
    for (const Pattern& pattern : patterns_)
        append(KeptRule{pattern.kind, pattern.text}, bytes);
    store.keep(name, bytes);
}

// Its patterns have the sets that they have now; one that is in no set any more has none.
std::optional<PatternImage> PatternBuilder::find_older(ImageStore& store) const {
    for (const std::string& name : store.names(kImageNames)) {
        const auto kept = store.load(name);
        if (!kept) continue;
        const auto rules = rules_of(kept->bytes());
        PatternImage image;
        std::size_t shared = 0;
        for (const KeptRule& rule : rules) {
            const auto found = index_of_.find(expression_in(rule));
            image.tags_of.push_back(found == index_of_.end() ? TagBits{}
                                                             : patterns_[found->second].tags);
            image.all |= image.tags_of.back();
            if (found != index_of_.end()) ++shared;
        }
        const std::size_t missing = patterns_.size() - shared;
        if (missing > patterns_.size() / kOneMissingOf || name_of(rules) != name ||
            !restore(kept, image))
            continue;
        filter(rules, image);
        store.note_older({patterns_.size(), missing});
        return image;
    }
    return std::nullopt;
}

PatternImage PatternBuilder::build(std::vector<Error>& errors, std::vector<Error>& warnings,
                                   ImageStore* store) const {
    PatternImage image;
    const std::size_t before = errors.size();
    if (patterns_.empty()) return image;
    if (hs_valid_platform() != HS_SUCCESS) {
        errors.push_back(
            {"this CPU cannot run keyword and regexp rules (Hyperscan needs SSSE3): use "
             "domain and full rules only"});
        return image;
    }
    const auto [all, unfiltered] = filter(patterns_, image);
    for (const Pattern& pattern : patterns_) {
        image.tags_of.push_back(pattern.tags);
        image.all |= pattern.tags;
    }
    const std::string name = store != nullptr && patterns_.size() >= kPatternsWorthKeeping
                                 ? name_of(patterns_)
                                 : std::string();
    // Stored patterns were valid when they were compiled.
    if (!name.empty() && restore(store->load(name), image)) {
        check_each(nullptr, warnings);
        return image;
    }
    check_each(&errors, warnings);
    if (errors.size() != before) return PatternImage{};
    if (!name.empty() && store->may_be_older(patterns_.size())) {
        if (auto older = find_older(*store)) return *std::move(older);
    }
    image.database = compile(all, errors);
    if (image.database != nullptr && image.has_filter && !unfiltered.empty())
        image.unfiltered = compile(unfiltered, errors);
    if (errors.size() != before) return PatternImage{};
    if (!name.empty()) keep(image, name, *store);
    return image;
}

// ": line 3 of FILE has the one that takes longest ..." for the most expensive rules; empty if none is expensive.
std::string PatternBuilder::costliest(const std::vector<unsigned>& ids) const {
    constexpr std::size_t kNamed = 3;
    const auto checked = check_regexps();  // their costs are known by now
    std::vector<unsigned> order = ids;
    const auto first = order.begin() + static_cast<std::ptrdiff_t>(std::min(kNamed, order.size()));
    std::partial_sort(order.begin(), first, order.end(), [&](unsigned a, unsigned b) {
        return checked[a].cost_us > checked[b].cost_us;
    });
    std::string out;
    for (auto id = order.begin(); id != first; ++id) {
        const Pattern& pattern = patterns_[*id];
        out +=
            (out.empty() ? "; those that take longest: " : ", ") + quoted(pattern.text) +
            (pattern.file.empty() ? ""
                                  : " (" + pattern.file + ":" + std::to_string(pattern.line) + ")");
    }
    return out;
}

PatternDatabase PatternBuilder::compile(const std::vector<unsigned>& ids,
                                        std::vector<Error>& errors) const {
    std::vector<Expression> expressions;
    expressions.reserve(ids.size());
    for (const unsigned id : ids)
        expressions.push_back({patterns_[id].expression, kFlags, id});
    auto made = pattern_compiler().compile(expressions);
    if (made.database != nullptr) return std::move(made.database);
    // Errors that only the complete set shows, such as a pattern that is too large.
    if (made.which) {
        const Pattern& bad = patterns_[ids[*made.which]];
        errors.push_back({refusal(bad.kind, bad.text, made.why), bad.file, bad.line});
    } else {
        errors.push_back({"the " + std::to_string(ids.size()) +
                          " keyword and regexp rules cannot be compiled together: " + made.why +
                          "; use fewer or simpler ones" +
                          (made.over_budget ? costliest(ids) : std::string())});
    }
    return nullptr;
}

}  // namespace steer::matchers
