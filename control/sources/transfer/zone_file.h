// A zone on disk: its image, and a journal of the changes since then.
//
// The image replaces the old file completely or not at all. A journal has the digest of its image.
// Each change is on disk before the next; a torn end is left out. After a change that could not be
// written, the journal takes no more until a new image is on disk. So the file is an old zone or
// the present one, never a wrong one. A damaged image is an Error: it is kept as FILE.damaged, and the
// zone is transferred again. So is a journal with a whole change that is wrong.
// The modification time of the image's file is the time of the zone's last check. Blocks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/sources/transfer/zone_contents.h"
#include "matchers/result.h"

namespace steer::transfer {

class ZoneFile {
  public:
    struct Kept {
        std::shared_ptr<const ZoneImage> image;
        std::vector<std::vector<ZoneDifference>> changes;  // in their order
        std::uint64_t checked_s = 0;                       // since 1970
    };

    static std::string journal_of(const std::string& file) { return file + ".changes"; }
    // With an empty `file` nothing is kept.
    explicit ZoneFile(std::string file) : file_(std::move(file)) {}

    // No value: there is no file. Error: it is damaged, or cannot be read.
    Result<std::optional<Kept>> load(ByteSpan zone);
    Result<void> save(ByteSpan zone, const ZoneImage& image);
    // After save() or load(). Error: the file lacks these changes, and all that follow.
    Result<void> append(const std::vector<ZoneDifference>& differences);
    // The zone was checked now.
    void touch() const;
    [[nodiscard]] std::size_t journal_bytes() const { return journal_bytes_; }
    // Changes that the file lacks, with attempts to save(); 0: none.
    [[nodiscard]] std::size_t behind() const { return behind_; }
    // Why the file is behind: a sentence. Empty: it is not.
    [[nodiscard]] const std::string& error() const { return error_; }
    // The journal that load() read does not fit, for this reason: it is kept as JOURNAL.damaged.
    void set_journal_aside(const std::string& why);

  private:
    [[nodiscard]] std::string journal() const { return journal_of(file_); }
    void load_journal(Kept& kept);
    Error fall_behind(std::string why);

    std::string file_;
    std::string error_;  // why the file is behind
    std::size_t behind_ = 0;
    Bytes digest_;  // of the image
    std::size_t journal_bytes_ = 0;
};

// Differences as bytes, and of such bytes. Any bytes are accepted. No value: they are none.
Bytes encode_differences(const std::vector<ZoneDifference>& differences);
std::optional<std::vector<ZoneDifference>> decode_differences(ByteSpan bytes);

// The zone in the text form of zone files (RFC 1035 5), with whole names: SOA first. `write` gets
// pieces.
void write_zone_text(const ZoneContents& zone, const std::function<void(std::string_view)>& write);
// Replaces `file` by that text.
Result<void> save_zone_text(const std::string& file, const ZoneContents& zone);

}  // namespace steer::transfer
