#include "match_reference.h"

#include <hs/hs.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>

#include "matchers/pattern/match.h"

namespace steer::bench {
namespace {

constexpr unsigned kFlags = HS_FLAG_SINGLEMATCH | HS_FLAG_CASELESS | HS_FLAG_DOTALL;

struct Found {
    const matchers::TagBits* tags_of;
    matchers::TagBits* tags;
};

int on_match(unsigned id, unsigned long long /*from*/, unsigned long long /*to*/,
             unsigned /*flags*/, void* context) {
    const auto* const found = static_cast<const Found*>(context);
    *found->tags |= found->tags_of[id];
    return 0;
}

// The hashes of a name's levels, the name's own first.
struct Levels {
    Levels(const matchers::LabelHash& hash, std::span<const std::uint8_t> wire_name) {
        std::array<std::uint8_t, 128> label_at;
        for (std::size_t at = 0; wire_name[at] != 0; at += std::size_t{wire_name[at]} + 1)
            label_at[count++] = static_cast<std::uint8_t>(at);
        std::uint64_t above = hash.seed;
        for (std::size_t i = count; i-- > 0;) {
            const std::uint8_t* const label = &wire_name[label_at[i]];
            above = hash_of[i] = hash.down(above, label + 1, *label);
        }
    }
    std::array<std::uint64_t, 128> hash_of;
    std::size_t count = 0;
};

[[noreturn]] void fail(const char* what) {
    std::fprintf(stderr, "bench_match: %s\n", what);
    std::exit(1);
}

}  // namespace

void FreeHyperscan::operator()(hs_database* database) const noexcept {
    hs_free_database(database);
}
void FreeHyperscan::operator()(hs_scratch* scratch) const noexcept {
    hs_free_scratch(scratch);
}

void Patterns::add(std::string expression, const matchers::TagBits& tags) {
    expressions_.push_back(std::move(expression));
    tags_of_.push_back(tags);
}

void Patterns::compile() {
    if (expressions_.empty()) return;
    std::vector<const char*> texts;
    std::vector<unsigned> ids;
    const std::vector<unsigned> flags(expressions_.size(), kFlags);
    for (const std::string& expression : expressions_) {
        ids.push_back(static_cast<unsigned>(ids.size()));
        texts.push_back(expression.c_str());
    }
    hs_database_t* database = nullptr;
    hs_compile_error_t* error = nullptr;
    if (hs_compile_multi(texts.data(), flags.data(), ids.data(),
                         static_cast<unsigned>(texts.size()), HS_MODE_BLOCK, nullptr, &database,
                         &error) != HS_SUCCESS)
        fail(error != nullptr ? error->message : "no database");
    database_.reset(database);
    hs_scratch_t* scratch = nullptr;
    if (hs_alloc_scratch(database, &scratch) != HS_SUCCESS) fail("no scratch");
    scratch_.reset(scratch);
}

void Patterns::scan(std::span<const std::uint8_t> wire_name, matchers::TagBits& tags) {
    if (database_ == nullptr) return;
    std::array<char, 256> text;
    std::size_t length = 0;
    for (std::size_t at = 0; wire_name[at] != 0;) {
        if (length > 0) text[length++] = '.';
        const std::size_t label = wire_name[at];
        std::copy_n(wire_name.begin() + static_cast<std::ptrdiff_t>(at + 1), label,
                    text.begin() + static_cast<std::ptrdiff_t>(length));
        length += label;
        at += label + 1;
    }
    Found found{tags_of_.data(), &tags};
    hs_scan(database_.get(), text.data(), static_cast<unsigned>(length), 0, scratch_.get(),
            on_match, &found);
}

void FlatWalk::add(matchers::SetId set, const matchers::Rule& rule) {
    if (rule.kind == matchers::RuleKind::keyword || rule.kind == matchers::RuleKind::regexp) {
        matchers::TagBits tags;
        tags.set(set);
        return patterns_.add(expression_of(rule), tags);
    }
    const auto wire = wire_of(rule.text);
    const Levels levels(hash_, wire);
    const auto [at, fresh] =
        node_of_.try_emplace(levels.hash_of[0], static_cast<std::uint32_t>(nodes_.size()));
    if (fresh) {
        nodes_.emplace_back();
        names_.push_back(rule.text);
    }
    Node& node = nodes_[at->second];
    (rule.kind == matchers::RuleKind::domain ? node.below : node.exact).set(set);
}

void FlatWalk::build() {
    patterns_.compile();
    std::vector<std::uint32_t> order(nodes_.size());
    for (std::uint32_t i = 0; i < order.size(); ++i)
        order[i] = i;
    std::ranges::stable_sort(
        order, {}, [this](std::uint32_t i) { return std::ranges::count(names_[i], '.'); });
    for (const std::uint32_t i : order) {
        const auto wire = wire_of(names_[i]);
        const Levels levels(hash_, wire);
        for (std::size_t level = 1; level < levels.count; ++level) {
            const auto above = node_of_.find(levels.hash_of[level]);
            if (above == node_of_.end()) continue;
            nodes_[i].below |= nodes_[above->second].below;
            break;
        }
        nodes_[i].exact |= nodes_[i].below;
    }
    names_ = {};
}

matchers::TagBits FlatWalk::match(std::span<const std::uint8_t> wire_name) {
    matchers::TagBits tags;
    const Levels levels(hash_, wire_name);
    for (std::size_t level = 0; level < levels.count; ++level) {
        const auto at = node_of_.find(levels.hash_of[level]);
        if (at == node_of_.end()) continue;
        const Node& node = nodes_[at->second];
        tags = level == 0 ? node.exact : node.below;
        break;
    }
    patterns_.scan(wire_name, tags);
    return tags;
}

std::vector<std::uint8_t> wire_of(std::string_view text) {
    std::vector<std::uint8_t> out;
    for (std::size_t at = 0; at <= text.size();) {
        const auto end = std::min(text.find('.', at), text.size());
        out.push_back(static_cast<std::uint8_t>(end - at));
        out.insert(out.end(), text.begin() + static_cast<std::ptrdiff_t>(at),
                   text.begin() + static_cast<std::ptrdiff_t>(end));
        at = end + 1;
    }
    out.push_back(0);
    return out;
}

std::string expression_of(const matchers::Rule& rule) {
    if (rule.kind == matchers::RuleKind::regexp) return rule.text;
    std::string name;
    for (const char c : rule.text) {
        if (c == '.') name += '\\';
        name += c;
    }
    if (rule.kind == matchers::RuleKind::keyword) return name;
    return (rule.kind == matchers::RuleKind::full ? "^" : "(^|\\.)") + name + "$";
}

}  // namespace steer::bench
