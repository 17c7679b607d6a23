#include "matchers/name_matcher.h"

#include <hs/hs.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <utility>

#include "matchers/domain/builder.h"
#include "matchers/domain/match.h"
#include "matchers/image_store.h"
#include "matchers/pattern/compile.h"
#include "matchers/pattern/match.h"
#include "matchers/quote.h"

namespace steer::matchers {

struct NameMatcher::Image {
    SuffixImage suffixes;
    PatternImage patterns;
    std::vector<Decision> decisions;
    TagBits given;  // not the sets of steps
    std::size_t rules = 0;

    // The sets of `tags`, with the results of the decisions in place of the sets of their steps.
    [[nodiscard]] TagBits decided(const TagBits& tags) const noexcept;
};

namespace {

// Below this, building is as fast as reading the stored image.
constexpr std::size_t kWorthKeeping = 20'000;

std::optional<SuffixImage> suffixes_of(SuffixBuilder& builder, ImageStore* store) {
    if (store == nullptr || builder.size() < kWorthKeeping) return builder.build();
    const std::string name = "suffixes-" + builder.content();
    if (auto kept = store->load(name)) {
        if (auto image = SuffixImage::from(*std::move(kept))) return image;
    }
    auto image = builder.build();
    if (image && image->arena.size() > 0) store->keep(name, image->arena.bytes());
    return image;
}

bool is_in(const Decision& decision, const TagBits& tags) {
    for (const auto& step : decision.steps) {
        if (tags.test(step.rules) && !(step.unless && tags.test(*step.unless))) return step.in;
    }
    return false;
}

}  // namespace

NameMatcher::Scratch::~Scratch() {
    hs_free_scratch(static_cast<hs_scratch_t*>(hs_));
}

NameMatcher::NameMatcher(std::unique_ptr<Image> image) : image_(std::move(image)) {}
NameMatcher::~NameMatcher() = default;

Result<void> NameMatcher::prepare(Scratch& scratch) const {
    if (image_->patterns.database == nullptr) return {};
    auto* grown = static_cast<hs_scratch_t*>(scratch.hs_);
    auto status = hs_alloc_scratch(image_->patterns.database.get(), &grown);
    if (status == HS_SUCCESS && image_->patterns.unfiltered != nullptr)
        status = hs_alloc_scratch(image_->patterns.unfiltered.get(), &grown);
    scratch.hs_ = grown;
    if (status == HS_SUCCESS) return {};
    return Error{
        "no memory to match keyword and regexp rules: use fewer, or give the process more memory"};
}

TagBits NameMatcher::Image::decided(const TagBits& tags) const noexcept {
    if (decisions.empty()) return tags;
    TagBits out;
    for (std::size_t i = 0; i < out.words.size(); ++i)
        out.words[i] = tags.words[i] & given.words[i];
    for (const Decision& decision : decisions) {
        if (is_in(decision, tags)) out.set(decision.set);
    }
    return out;
}

void NameMatcher::match(std::span<const WireName> names, Scratch& scratch,
                        std::span<TagBits> tags) const noexcept {
    std::array<const TagBits*, kMaxNames> found;
    if (names.size() > found.size()) std::abort();
    find_tags(image_->suffixes, names, {found.data(), names.size()});
    for (std::size_t i = 0; i < names.size(); ++i) {
        TagBits all = *found[i];
        scan(image_->patterns, names[i], static_cast<hs_scratch_t*>(scratch.hs_), all);
        tags[i] = image_->decided(all);
    }
}

TagBits NameMatcher::match(WireName name, Scratch& scratch) const noexcept {
    TagBits tags;
    match({&name, 1}, scratch, {&tags, 1});
    return tags;
}

std::size_t NameMatcher::rules() const {
    return image_->rules;
}

SuffixSize NameMatcher::suffix_size() const {
    const SuffixImage& image = image_->suffixes;
    return {image.node_count, image.arena.size(), image.name_bytes};
}

struct NameMatcherBuilder::Pending {
    SuffixBuilder suffixes;
    PatternBuilder patterns;
    std::vector<Decision> decisions;
    std::vector<Error> errors;
    std::size_t rules = 0;
};

NameMatcherBuilder::NameMatcherBuilder() : pending_(std::make_unique<Pending>()) {}
NameMatcherBuilder::~NameMatcherBuilder() = default;

void NameMatcherBuilder::add(SetId set, Rule rule, std::string_view file, int line) {
    if (set >= kMaxSets) {
        std::fprintf(stderr, "name matcher: set %u of at most %zu\n", set, kMaxSets);
        std::abort();
    }
    ++pending_->rules;
    if (rule.kind == RuleKind::keyword || rule.kind == RuleKind::regexp) {
        pending_->patterns.add(set, rule.kind, std::move(rule.text), file, line);
    } else if (!pending_->suffixes.add(set, rule.kind, rule.text)) {
        pending_->errors.push_back(
            {quoted(rule.text) + " is not a name: write one as in www.example.org",
             std::string(file), line});
    }
}

void NameMatcherBuilder::decide(Decision decision) {
    pending_->decisions.push_back(std::move(decision));
}

void NameMatcherBuilder::check(std::vector<Error>& errors, std::vector<Error>& warnings) const {
    errors.insert(errors.end(), pending_->errors.begin(), pending_->errors.end());
    pending_->patterns.check(errors, warnings);
}

std::unique_ptr<NameMatcher> NameMatcherBuilder::build(std::vector<Error>& errors,
                                                       std::vector<Error>& warnings,
                                                       ImageStore* store) {
    const auto pending = std::exchange(pending_, std::make_unique<Pending>());
    auto image = std::make_unique<NameMatcher::Image>();
    const std::size_t before = errors.size();
    errors.insert(errors.end(), pending->errors.begin(), pending->errors.end());
    image->rules = pending->rules;
    image->decisions = std::move(pending->decisions);
    image->given.words.fill(~std::uint64_t{0});
    for (const Decision& decision : image->decisions) {
        for (const auto& step : decision.steps) {
            image->given.clear(step.rules);
            if (step.unless) image->given.clear(*step.unless);
        }
    }
    auto suffixes =
        std::async(std::launch::async, [&] { return suffixes_of(pending->suffixes, store); });
    image->patterns = pending->patterns.build(errors, warnings, store);
    auto built = suffixes.get();
    if (!built) {
        errors.push_back({"the names of all domain rules are more than 16 GiB: use smaller lists"});
    }
    if (errors.size() != before) return nullptr;
    image->suffixes = *std::move(built);
    return std::unique_ptr<NameMatcher>(new NameMatcher(std::move(image)));
}

}  // namespace steer::matchers
