//! Linking into the memory of this process.

use crate::{
    JitError,
    memory::{Access, PAGE, Pages, process_symbol},
};
use cm_link::{Image, Interner, Layout, LinkError, Object, Part, Place, Segment, Undefined};
use rustc_hash::FxHashMap;

/// Links objects and gives the address of a symbol.
pub fn link(objects: &[(&str, &[u8])], symbol: &str) -> Result<usize, JitError> {
    let mut names = Interner::default();
    let objects = objects.iter().map(|&(name, data)| Object::parse(name, data, &mut names));
    let objects = objects.collect::<Result<_, _>>()?;
    let image = Image::new(objects, &names)?;
    let imports = addresses(&image)?;
    let layout = image.layout(0, 0, PAGE as u64)?;
    if !layout.part(Part::Before).is_empty() || !layout.part(Part::After).is_empty() {
        let what = "it has initializers".to_owned();
        return Err(LinkError::Unsupported("the program".to_owned(), what).into());
    }
    let start = image.names.get(symbol.as_bytes()).and_then(|bound| image.offset(&layout, bound));
    let start = start.ok_or_else(|| {
        LinkError::Undefined(vec![Undefined { symbol: symbol.to_owned(), user: None }])
    })?;
    let mut pages = Pages::map(layout.size() as usize).map_err(system)?;
    pages.populate(layout.filled() as usize);
    let base = pages.address();
    let mut place = Place { bytes: pages.bytes(), base, imports: Some(&imports) };
    image.write(&layout, &mut place)?;
    protect(&pages, &layout)?;
    Ok((base + start) as usize)
}

fn system(error: std::io::Error) -> JitError {
    JitError::System(error.to_string())
}

/// The addresses of imports in the run-time library and in this process.
fn addresses(image: &Image) -> Result<Vec<u64>, LinkError> {
    let runtime: FxHashMap<&[u8], u64> = cm_runtime::symbols()
        .iter()
        .map(|(name, symbol)| (name.as_bytes(), symbol.0.addr() as u64))
        .collect();
    let find = |name: &[u8]| runtime.get(name).copied().or_else(|| process_symbol(name));
    let found: Vec<_> = image.names.imports.iter().map(|import| find(import.name)).collect();
    image.names.check(&image.objects, |import| found[import].is_some())?;
    Ok(found.into_iter().map(|address| address.unwrap_or(0)).collect())
}

/// Ends the time of writing to all but data.
fn protect(pages: &Pages, layout: &Layout) -> Result<(), JitError> {
    let segments = [
        (Segment::Read, Access::Nothing),
        (Segment::Execute, Access::Execute),
        (Segment::Relocated, Access::Nothing),
    ];
    for (segment, access) in segments {
        let range = layout.segment(segment);
        pages.protect(range.start as usize, range.end as usize, access).map_err(system)?;
    }
    Ok(())
}
