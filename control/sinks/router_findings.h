// What is known of RouterOS versions (routeros/findings.h), by all routers of the process and over restarts.
//
// The file is JSON: {"7.21 (stable)": {"static-timeout": {"answer": "makes it timed", "text": ""}, ...}, ...}. What it
// has that this program does not know is left out; a file that is no such thing is said and ignored. Not thread-safe.
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
    // `changed` is called with the whole file's text when there is something new to be kept.
    using Changed = std::function<void(std::string text)>;
    explicit RouterFindings(ByVersion known = {}, Changed changed = {})
        : known_(std::move(known)), changed_(std::move(changed)) {}

    void put(std::string_view version, const routeros::Findings& findings);
    // nullptr: nothing is known. Valid until the next put().
    [[nodiscard]] const routeros::Findings* find(std::string_view version) const;

  private:
    ByVersion known_;
    Changed changed_;
};

std::string findings_text(const RouterFindings::ByVersion& known);
// Nothing is known if there is no file.
Result<RouterFindings::ByVersion> load_findings(const std::string& file);
// Written beside and renamed. Nothing is done, and nothing is wrong, if its folder is not there.
Result<void> save_findings(const std::string& file, const std::string& text);

}  // namespace steer
