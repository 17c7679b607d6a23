// All domain sets of a configuration as one immutable image. One call returns the sets that have a
// name.
//
// Full and suffix rules use a keyed hash of every level of the name; keyword and regexp rules use
// one Hyperscan database. NameMatcherBuilder builds it once. Any number of threads may read it,
// each with its own Scratch. match() allocates nothing and never waits.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "matchers/result.h"

namespace steer::matchers {

// A set's index in TagBits; the caller of the builder chooses it. At most kMaxSets in one image.
using SetId = std::uint16_t;
inline constexpr std::size_t kMaxLabel = 63;    // bytes (RFC 1035 2.3.4)
inline constexpr std::size_t kMaxLevels = 127;  // labels in 255 bytes
inline constexpr std::size_t kMaxSets = 256;
inline constexpr std::size_t kMaxNames = 32;  // of one call

// A name in lower-cased wire form with the root byte, 1..255 bytes.
using WireName = std::span<const std::uint8_t>;

// The sets that have a name: bit i of word i/64 is set i.
struct TagBits {
    std::array<std::uint64_t, kMaxSets / 64> words{};
    void set(SetId i) { words[i / 64] |= std::uint64_t{1} << (i % 64); }
    void clear(SetId i) { words[i / 64] &= ~(std::uint64_t{1} << (i % 64)); }
    [[nodiscard]] bool test(SetId i) const { return (words[i / 64] >> (i % 64)) & 1; }
    [[nodiscard]] bool any_of(const TagBits& mask) const {
        std::uint64_t hit = 0;
        for (std::size_t i = 0; i < words.size(); ++i)
            hit |= words[i] & mask.words[i];
        return hit != 0;
    }
    TagBits& operator|=(const TagBits& o) {
        for (std::size_t i = 0; i < words.size(); ++i)
            words[i] |= o.words[i];
        return *this;
    }
    bool operator==(const TagBits&) const = default;
};

// full: the name itself. domain: the name and all names below it. keyword: substring. regexp:
// search, ignoring case. (docs/reference/configuration.md, rule text.)
enum class RuleKind : std::uint8_t { full, domain, keyword, regexp };

struct Rule {
    RuleKind kind;
    std::string
        text;  // lower-cased, without a last dot, for full, domain and keyword; a regexp unchanged
};

// Parses "domain:example.org" and so on; without a prefix, the kind is `fallback`. An unknown
// prefix, an empty pattern, a name over 255 bytes or a label over 63 is an Error that says what to
// write instead.
Result<Rule> parse_rule(std::string_view text, RuleKind fallback);

class ImageStore;

// A set derived from other sets: the first matching step decides whether the name is in it. The
// sets of steps serve only this purpose: match() does not return them.
struct Decision {
    struct Step {
        SetId rules;                  // matches these names ...
        std::optional<SetId> unless;  // ... if they are not in this set
        bool in = true;
    };
    SetId set;
    std::vector<Step> steps;
};

// The memory used by full and domain rules.
struct SuffixSize {
    std::size_t names = 0;       // names with their own node
    std::size_t bytes = 0;       // including the names
    std::size_t name_bytes = 0;  // of these, for names
};

class NameMatcher {
  public:
    // A thread's working memory for match(). The image prepares it.
    class Scratch {
      public:
        Scratch() = default;
        Scratch(Scratch&& o) noexcept : hs_(std::exchange(o.hs_, nullptr)) {}
        Scratch& operator=(Scratch&& o) noexcept {
            std::swap(hs_, o.hs_);
            return *this;
        }
        ~Scratch();

      private:
        friend class NameMatcher;
        void* hs_ = nullptr;  // hs_scratch_t*; as void*, this header does not need Hyperscan's
    };

    ~NameMatcher();
    NameMatcher(const NameMatcher&) = delete;
    NameMatcher& operator=(const NameMatcher&) = delete;

    // Grows `scratch` for this image (allocates; set-up only). It stays valid for images that it
    // was prepared for earlier.
    Result<void> prepare(Scratch& scratch) const;

    // The sets that have each name. `names` must be valid (from dns::parse_query), and at most
    // kMaxNames. If a label has a dot or a NUL, no rule matches across that byte. `scratch` must be
    // prepared for this image.
    void match(std::span<const WireName> names, Scratch& scratch,
               std::span<TagBits> tags) const noexcept;
    [[nodiscard]] TagBits match(WireName name, Scratch& scratch) const noexcept;

    [[nodiscard]] std::size_t rules() const;
    [[nodiscard]] SuffixSize suffix_size() const;

  private:
    friend class NameMatcherBuilder;
    struct Image;
    explicit NameMatcher(std::unique_ptr<Image> image);
    std::unique_ptr<Image> image_;
};

class NameMatcherBuilder {
  public:
    NameMatcherBuilder();
    ~NameMatcherBuilder();

    // `file` and `line` are for errors in build(), which compiles regexps.
    void add(SetId set, Rule rule, std::string_view file = {}, int line = 0);
    void decide(Decision decision);

    // Every bad rule becomes one Error in `errors`; then there is no image. `warnings`: allowed but
    // expensive rules (a regexp without a literal). Leaves the builder empty. Builds the two images
    // in parallel. Does not build images that are in `store` (may be nullptr); stores new ones
    // there.
    std::unique_ptr<NameMatcher> build(std::vector<Error>& errors, std::vector<Error>& warnings,
                                       ImageStore* store = nullptr);
    // Only checks the rules. Builds nothing, and the builder keeps the rules.
    void check(std::vector<Error>& errors, std::vector<Error>& warnings) const;

  private:
    struct Pending;
    std::unique_ptr<Pending> pending_;
};

}  // namespace steer::matchers
