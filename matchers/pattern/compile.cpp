#include "matchers/pattern/compile.h"

#include <hs/hs.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <span>
#include <utility>

#include "matchers/content_hash.h"
#include "matchers/pattern/literal.h"
#include "matchers/pattern/text_test.h"
#include "matchers/quote.h"

namespace steer::matchers {
namespace {

// ALLOWEMPTY: `regexp:.*` is a way to say "every name".
constexpr unsigned kFlags =
    HS_FLAG_SINGLEMATCH | HS_FLAG_CASELESS | HS_FLAG_DOTALL | HS_FLAG_ALLOWEMPTY;

struct FreeCompileError {
    void operator()(hs_compile_error_t* error) const noexcept { hs_free_compile_error(error); }
};
using CompileError = std::unique_ptr<hs_compile_error_t, FreeCompileError>;

std::string refusal(RuleKind kind, const std::string& text, const hs_compile_error_t* error) {
    std::string why =
        error != nullptr && error->message != nullptr ? error->message : "no reason given";
    while (why.ends_with('.'))
        why.pop_back();
    const char* const what = kind == RuleKind::regexp ? "the regexp " : "the keyword ";
    return what + quoted(text) + " cannot be compiled: " + why +
           "; write it without look-around and back-references";
}

// What hs_expression_info() does not see: repeats that make an expression too large. Nothing: it can be compiled.
CompileError too_large(const std::string& expression) {
    if (expression.find('{') == std::string::npos) return nullptr;
    hs_database_t* database = nullptr;
    hs_compile_error_t* error = nullptr;
    hs_compile(expression.c_str(), kFlags, HS_MODE_BLOCK, nullptr, &database, &error);
    hs_free_database(database);
    return CompileError(error);
}

// Fewer are compiled as fast as they are read.
constexpr std::size_t kPatternsWorthKeeping = 20;

// Each database as a number of bytes (8) and these; none is 0.
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

void keep(const PatternImage& image, const std::string& name, ImageStore& store) {
    std::vector<std::uint8_t> bytes;
    append(image.database.get(), bytes);
    append(image.unfiltered.get(), bytes);
    store.keep(name, bytes);
}

bool take(std::span<const std::uint8_t>& bytes, std::unique_ptr<hs_database, FreeDatabase>& out) {
    std::uint64_t size = 0;
    if (bytes.size() < sizeof size) return false;
    std::memcpy(&size, bytes.data(), sizeof size);
    bytes = bytes.subspan(sizeof size);
    if (size > bytes.size()) return false;
    hs_database_t* database = nullptr;
    if (size > 0 && hs_deserialize_database(reinterpret_cast<const char*>(bytes.data()), size,
                                            &database) != HS_SUCCESS)
        return false;
    out.reset(database);
    bytes = bytes.subspan(size);
    return true;
}

// False: it is not what keep() wrote.
bool restore(const std::optional<Arena>& kept, PatternImage& image) {
    if (!kept) return false;
    auto bytes = kept->bytes();
    return take(bytes, image.database) && image.database != nullptr &&
           take(bytes, image.unfiltered) && bytes.empty();
}

// Puts what a pattern needs into the filter. False: it does not say what, or that is too short.
bool add_to(GramFilter& filter, RuleKind kind, const std::string& text) {
    if (kind == RuleKind::keyword) return filter.add(text);
    const auto literals = required_literals(text);
    return !literals.empty() &&
           std::all_of(literals.begin(), literals.end(),
                       [&](const std::string& literal) { return filter.add(literal); });
}

}  // namespace

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

std::optional<std::string> PatternBuilder::why_refused(const Pattern& pattern) {
    hs_expr_info_t* info = nullptr;
    hs_compile_error_t* raw_error = nullptr;
    const auto status = hs_expression_info(pattern.expression.c_str(), kFlags, &info, &raw_error);
    const CompileError error(raw_error);
    std::free(info);  // NOLINT: Hyperscan gives it from malloc()
    if (pattern.expression.find('\0') != std::string::npos)
        return "the regexp " + quoted(pattern.text) +
               " holds a NUL byte: remove it, or write \\x00";
    if (status != HS_SUCCESS) return refusal(pattern.kind, pattern.text, error.get());
    if (auto large = too_large(pattern.expression))
        return refusal(pattern.kind, pattern.text, large.get());
    return std::nullopt;
}

void PatternBuilder::check_each(std::vector<Error>* errors, std::vector<Error>& warnings) const {
    for (const Pattern& pattern : patterns_) {
        if (pattern.kind != RuleKind::regexp) continue;
        auto refused = errors != nullptr ? why_refused(pattern) : std::nullopt;
        if (refused) {
            errors->push_back({*std::move(refused), pattern.file, pattern.line});
        } else if (shortest_literal(pattern.expression) < kUsefulLiteral) {
            warnings.push_back(
                {"the regexp " + quoted(pattern.text) +
                     " holds no text that every match must contain, so that it is tried in "
                     "full on every name: add some, if it can be said so",
                 pattern.file, pattern.line});
        }
    }
}

std::string PatternBuilder::content() const {
    ContentHash hash;
    hash.add_text("patterns 1");
    hash.add_text(hs_version());
    hs_platform_info_t platform{};
    hs_populate_platform(&platform);
    hash.add_number(platform.tune);
    hash.add_number(platform.cpu_features);
    hash.add_number(kFlags);
    for (const Pattern& pattern : patterns_) {
        hash.add_number(static_cast<std::uint64_t>(pattern.kind));
        hash.add_text(pattern.text);
    }
    return "patterns-" + hash.hex();
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
    std::vector<unsigned> all, unfiltered;
    for (const Pattern& pattern : patterns_) {
        const auto id = static_cast<unsigned>(all.size());
        all.push_back(id);
        if (!add_to(image.filter, pattern.kind, pattern.text)) unfiltered.push_back(id);
        image.tags_of.push_back(pattern.tags);
        image.all |= pattern.tags;
    }
    image.filter.build();
    image.has_filter = unfiltered.size() < all.size();
    const std::string name =
        store != nullptr && patterns_.size() >= kPatternsWorthKeeping ? content() : std::string();
    // What was kept was good when it was compiled.
    if (!name.empty() && restore(store->load(name), image)) {
        check_each(nullptr, warnings);
        return image;
    }
    check_each(&errors, warnings);
    if (errors.size() != before) return PatternImage{};
    image.database = compile(all, errors);
    if (image.database != nullptr && image.has_filter && !unfiltered.empty())
        image.unfiltered = compile(unfiltered, errors);
    if (errors.size() != before) return PatternImage{};
    if (!name.empty()) keep(image, name, *store);
    return image;
}

PatternBuilder::Database PatternBuilder::compile(const std::vector<unsigned>& ids,
                                                 std::vector<Error>& errors) const {
    std::vector<const char*> expressions;
    expressions.reserve(ids.size());
    for (const unsigned id : ids)
        expressions.push_back(patterns_[id].expression.c_str());
    const std::vector<unsigned> flags(ids.size(), kFlags);
    hs_database_t* database = nullptr;
    hs_compile_error_t* raw_error = nullptr;
    const auto status = hs_compile_multi(expressions.data(), flags.data(), ids.data(),
                                         static_cast<unsigned>(ids.size()), HS_MODE_BLOCK, nullptr,
                                         &database, &raw_error);
    const CompileError error(raw_error);
    if (status == HS_SUCCESS) return Database(database);
    // What only the whole shows, such as a pattern that is too large.
    if (error != nullptr && error->expression >= 0) {
        const Pattern& bad = patterns_[ids[static_cast<std::size_t>(error->expression)]];
        errors.push_back({refusal(bad.kind, bad.text, error.get()), bad.file, bad.line});
    } else {
        const std::string why = error != nullptr ? error->message : "out of memory";
        errors.push_back({"the keyword and regexp rules cannot be compiled together: " + why +
                          "; use fewer or simpler ones"});
    }
    return nullptr;
}

}  // namespace steer::matchers
