// Collects keyword and regexp rules and compiles them into one database. Set-up only.
//
// One database of 400 patterns scans a name faster than two of 200, and compiles in a quarter of a
// second. compiler.h runs the compilation, with a budget. Block mode; each pattern is reported
// once; case is ignored; `.` is any byte of a name.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "matchers/image_store.h"
#include "matchers/name_matcher.h"
#include "matchers/pattern/compiler.h"
#include "matchers/pattern/image.h"
#include "matchers/result.h"

namespace steer::matchers {

// The expressions of the newest pattern image in the store; empty if there is no such image. This
// library compiled it for this CPU, so each expression is valid.
std::vector<Expression> kept_expressions(ImageStore& store);

class PatternBuilder {
  public:
    // `kind`: keyword or regexp. The same pattern in several sets is one expression.
    void add(SetId set, RuleKind kind, std::string text, std::string_view file, int line);

    // Each pattern that Hyperscan rejects becomes one Error; then the image is empty. A regexp
    // without a literal must be tried on every name, so it is a warning. `store` may be nullptr. If
    // it allows that, an older image is used instead of compiling (ImageStore::note_older()).
    PatternImage build(std::vector<Error>& errors, std::vector<Error>& warnings,
                       ImageStore* store = nullptr) const;
    // Only checks whether each pattern compiles.
    void check(std::vector<Error>& errors, std::vector<Error>& warnings) const {
        check_each(&errors, warnings);
    }

  private:
    struct Pattern {
        RuleKind kind;
        std::string text;
        std::string expression;
        TagBits tags;
        std::string file;
        int line;
    };
    // Compiles the patterns in `ids` together; nullptr and an error if that fails.
    [[nodiscard]] PatternDatabase compile(const std::vector<unsigned>& ids,
                                          std::vector<Error>& errors) const;
    [[nodiscard]] std::string costliest(const std::vector<unsigned>& ids) const;
    void keep(const PatternImage& image, const std::string& name, ImageStore& store) const;
    // The newest image in the store with most of the patterns. Its rules that are in no present
    // list match nothing.
    std::optional<PatternImage> find_older(ImageStore& store) const;
    [[nodiscard]] std::vector<Checked> check_regexps() const;
    // Without `errors`, only warnings.
    void check_each(std::vector<Error>* errors, std::vector<Error>& warnings) const;

    std::vector<Pattern> patterns_;
    boost::unordered_flat_map<std::string, std::size_t> index_of_;  // by expression
};

}  // namespace steer::matchers
