// Domain rules, addresses and prefixes of a configuration: written inline, or in files that it names.
//
// A bad inline rule is an error. A bad line of a file is a warning with file and line, and an error
// if the list is strict or if no line of the file is good. Regexps are tried by compiling them,
// once for all of them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "control/config/reading.h"
#include "matchers/list/name_list.h"
#include "matchers/list/prefix_list.h"
#include "matchers/list/rule_list.h"

namespace steer::config {

// One rule as text; a regexp is tried. Without a prefix `domain:` is meant.
Result<matchers::Rule> good_rule(std::string_view text);

void read_rule(Reading& in, const Text& text, const Place& place, std::vector<RuleAt>& out);
// `path` as written.
void read_rule_file(Reading& in, const Text& path, const Place& place, bool strict,
                    std::vector<RuleAt>& out);
// What becomes of bad lines.
struct BadLineTerms {
    bool strict = false;  // they are errors
    bool lenient =
        false;  // of a response policy zone: they are not, though it is read strictly otherwise
};
// Whether they are errors in a list of this form: what a response policy zone says and a set of names cannot hold would
// let names through.
bool is_strict(const BadLineTerms& terms, matchers::ListForm form);
// The same for a list in a form of its own, which may be named by a URL.
void read_name_file(Reading& in, const Text& path, const Place& place, const ListUse& use,
                    BadLineTerms terms, matchers::ListForm form, std::vector<RuleAt>& out);
// What to do about a file without a good line.
inline constexpr std::string_view kOtherFormat = "is it a file of another format?";
// Says what is wrong with the lines of a file; `good`: how many lines were not.
void say_bad_lines(Reading& in, const matchers::BadLines& bad, std::size_t good, bool strict,
                   const std::string& file, const Place& place,
                   std::string_view hint = kOtherFormat);
// What a reader of lists made of `file`: its rules into `out`, its bad lines into the report.
void take_rules(Reading& in, matchers::RuleList list, bool strict, const std::string& file,
                const Place& place, std::vector<RuleAt>& out, std::string_view hint = kOtherFormat);
void take_prefixes(Reading& in, const matchers::PrefixList& list, bool strict,
                   const std::string& file, const Place& place, std::vector<matchers::Prefix>& out);
// Addresses of a file into persistent rows, under the same rules; never strict.
void read_prefix_file(Reading& in, const Text& path, const Place& place,
                      std::vector<PersistentRow>& out);
// The same for a set of addresses, which may be named by a URL.
void read_prefix_file(Reading& in, const Text& path, const Place& place, const ListUse& use,
                      bool strict, std::vector<matchers::Prefix>& out);
void read_prefix(Reading& in, const Text& text, const Place& place,
                 std::vector<matchers::Prefix>& out);

// Compiles every regexp of the settings. An invalid one in a file that is not strict is removed
// from its list.
void check_patterns(Reading& in);

}  // namespace steer::config
