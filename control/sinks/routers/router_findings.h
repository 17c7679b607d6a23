// Findings about RouterOS versions (routeros/findings.h), for all routers of the process, kept
// across restarts.
//
// The file is JSON: {"7.21 (stable)": {"static-timeout": {"answer": "makes it timed", "text": ""},
// ...}, ...}. Unknown entries are skipped; an invalid file is reported and ignored. Not
// thread-safe.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "matchers/result.h"
#include "routeros/findings.h"

namespace steer {

class RouterFindings {
  public:
    using ByVersion = std::map<std::string, routeros::Findings, std::less<>>;
    // `changed` gets the complete file's text when there is a new finding.
    using Changed = std::function<void(std::string text)>;
    explicit RouterFindings(ByVersion known = {}, Changed changed = {})
        : known_(std::move(known)), changed_(std::move(changed)) {}

    void put(std::string_view version, const routeros::Findings& findings);
    // nullptr: unknown. Valid until the next put().
    [[nodiscard]] const routeros::Findings* find(std::string_view version) const;

  private:
    ByVersion known_;
    Changed changed_;
};

std::string findings_text(const RouterFindings::ByVersion& known);
// Empty if there is no file.
Result<RouterFindings::ByVersion> load_findings(const std::string& file);
// Writes a new file and renames it. If the folder does not exist, does nothing and returns no
// error.
Result<void> save_findings(const std::string& file, const std::string& text);

}  // namespace steer
