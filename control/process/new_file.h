// A file that is written aside, in the folder where it belongs, and takes its place whole or not at all.
//
// Its bytes are on the disk before it takes its place: a machine that loses its power has the old file or the new one.
// The first thing that fails is kept and nothing is done after it, so that it is enough to ask at the end.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "dataplane/port/descriptor.h"
#include "matchers/result.h"

namespace steer {

class NewFile {
  public:
    static constexpr mode_t kForAll = 0644,
                            kForOwner = 0600;  // may read it; the owner may write it

    // Begins the draft of `file`, whose folder must be there: `new-NAME-` and six more characters, for its owner alone.
    explicit NewFile(const std::string& file);
    NewFile(NewFile&& other) noexcept;
    NewFile& operator=(NewFile&&) = delete;
    NewFile(const NewFile&) = delete;
    NewFile& operator=(const NewFile&) = delete;
    ~NewFile();  // a draft that has not taken its place is removed

    bool write(const void* bytes, std::size_t size);
    bool write(std::string_view bytes) { return write(bytes.data(), bytes.size()); }
    // On the disk, with these rights.
    bool sync(mode_t mode);
    // What is on the disk takes its place.
    bool take_place();
    bool replace(mode_t mode) { return sync(mode) && take_place(); }

    [[nodiscard]] bool good() const { return error_ == 0; }
    // What failed first, in the system's words; for those who can say no more of it, a sentence.
    [[nodiscard]] std::string why() const;
    [[nodiscard]] Error failure() const;
    // Of the draft.
    [[nodiscard]] const std::string& path() const { return draft_; }

    // Drafts of `file` that a process left when it was killed; those that are being written stay.
    static void remove_left(const std::string& file);

  private:
    bool done(bool well);  // or errno says why not

    std::string file_, draft_;
    Descriptor fd_;  // locked (flock(2)), which is what says that it is being written
    int error_ = 0;  // errno
};

// Folders on the way to `file`. Those that cannot be made show when it is begun.
void make_folder_of(const std::string& file);
// What was renamed in the folder of `file` is on the disk.
void sync_folder_of(const std::string& file);

}  // namespace steer
